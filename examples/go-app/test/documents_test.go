// Package test holds a running service to what it promises. It is no part of an image.
//
//	DOCUMENTS_URL=http://127.0.0.1:8080 go test ./test
package test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

func TestWhatIsPostedIsFound(t *testing.T) {
	server := os.Getenv("DOCUMENTS_URL")
	if server == "" {
		t.Skip("DOCUMENTS_URL names no server")
	}
	for _, text := range []string{"Boats leave the harbour at dawn.", "Snow fell on the pass all night."} {
		body, _ := json.Marshal(map[string]string{"text": text})
		answer, err := http.Post(server+"/documents", "application/json", strings.NewReader(string(body)))
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusAccepted {
			t.Fatalf("%s: %s", text, answer.Status)
		}
	}
	var found []struct{ Text string }
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		answer, err := http.Get(server + "/documents?most=1&like=" + url.QueryEscape("a boat in the harbor"))
		if err != nil {
			t.Fatal(err)
		}
		err = json.NewDecoder(answer.Body).Decode(&found)
		answer.Body.Close()
		if err == nil && len(found) == 1 && strings.HasPrefix(found[0].Text, "Boats") {
			return
		}
	}
	t.Errorf("found %v", found)
}
