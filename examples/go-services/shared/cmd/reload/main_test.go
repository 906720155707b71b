package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestOnlySourcesOfTheProgramCount(t *testing.T) {
	for name, want := range map[string]bool{
		"main.go": true, "go.mod": true, "go.sum": true, "main_test.go": false, "README.md": false,
	} {
		if counts(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}

func TestTheNewestSourceTells(t *testing.T) {
	folder := t.TempDir()
	newest := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	for name, at := range map[string]time.Time{
		"main.go": newest.Add(-time.Hour), "store.go": newest, "main_test.go": newest.Add(time.Hour),
	} {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	if got := changed([]string{folder}); !got.Equal(newest) {
		t.Errorf("got %s", got)
	}
}

func TestWhatDoesNotCompileIsNotStarted(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "main.go"), []byte("package main\nfunc main() {"), 0o600); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(folder, "program")
	if built(folder, program) {
		t.Error("built")
	}
	if _, err := os.Stat(program); !os.IsNotExist(err) {
		t.Errorf("there is a program: %v", err)
	}
}
