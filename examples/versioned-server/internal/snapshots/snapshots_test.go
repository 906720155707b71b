package snapshots

import (
	"errors"
	"iter"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func entries(failure error, texts ...string) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		for _, text := range texts {
			if !yield(text, nil) {
				return
			}
		}
		if failure != nil {
			yield(nil, failure)
		}
	}
}

func TestASnapshotHoldsALineForEach(t *testing.T) {
	folder := Folder(t.TempDir())
	made, err := folder.Write(time.Unix(0, 0), entries(nil, "a", "b"))
	if err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(filepath.Join(string(folder), made.Name))
	if string(text) != "\"a\"\n\"b\"\n" || made.Count != 2 || made.Bytes != 8 {
		t.Errorf("%+v holds %q", made, text)
	}
	listed, err := folder.List()
	if err != nil || len(listed) != 1 || listed[0].Name != "19700101T000000.000000000Z.jsonl" {
		t.Errorf("listed %v: %v", listed, err)
	}
}

func TestOneThatFailsLeavesNothing(t *testing.T) {
	folder := Folder(t.TempDir())
	if _, err := folder.Write(time.Now(), entries(errors.New("gone"), "a")); err == nil {
		t.Fatal("no error")
	}
	if left, _ := os.ReadDir(string(folder)); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}
