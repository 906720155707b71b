package qdrant

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestCallsCarryTheKeyAndAnswersAreRead(t *testing.T) {
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked = append(asked, r.Method+" "+r.URL.RequestURI()+" "+string(body))
		if r.Header.Get("api-key") != "a key" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if r.Method == http.MethodPut && r.URL.Path == collection {
			w.WriteHeader(http.StatusConflict)
			return
		}
		_, _ = io.WriteString(w, `{"result": {"points": [{"id": "x", "score": 0.5}]}}`)
	}))
	defer server.Close()
	index := New(server.URL+"/", "a key")
	if err := index.Prepare(t.Context(), 3); err != nil {
		t.Errorf("a collection that is there already: %v", err)
	}
	if err := index.Keep(t.Context(), "x", []float32{0, 1}); err != nil {
		t.Error(err)
	}
	hits, err := index.Near(t.Context(), []float32{0, 1}, 4)
	if err != nil || len(hits) != 1 || hits[0] != (Hit{"x", 0.5}) {
		t.Errorf("%v: %v", hits, err)
	}
	for at, wanted := range []string{
		`PUT /collections/documents {"vectors":{"distance":"Cosine","size":3}}`,
		`PUT /collections/documents/points?wait=true {"points":[{"id":"x","vector":[0,1]}]}`,
		`POST /collections/documents/points/query {"limit":4,"query":[0,1]}`,
	} {
		if asked[at] != wanted {
			t.Errorf("%s\nis not %s", asked[at], wanted)
		}
	}
	if err = New(server.URL, "another").Ping(t.Context()); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("with another key: %v", err)
	}
}
