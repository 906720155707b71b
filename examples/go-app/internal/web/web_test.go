package web

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/documents/internal/qdrant"
	"example.com/documents/internal/queue"
	"example.com/documents/internal/texts"
)

// memory is all three stores; what is put in is there at once.
type memory struct {
	documents map[string]texts.Document
	dead      error
}

func (all *memory) Ping(context.Context) error { return all.dead }

func (all *memory) Put(_ context.Context, id, text string) error {
	all.documents[id] = texts.Document{ID: id, Text: text, Stored: time.Date(2026, 7, 1, 22, 30, 0, 0, time.UTC)}
	return all.dead
}

func (all *memory) Get(_ context.Context, id string) (texts.Document, error) {
	if document, is := all.documents[id]; is {
		return document, all.dead
	}
	return texts.Document{}, texts.ErrUnknown
}

func (all *memory) All(context.Context, []string) (map[string]texts.Document, error) {
	return all.documents, all.dead
}

// Near finds what is no longer kept, too.
func (all *memory) Near(context.Context, []float32, int) ([]qdrant.Hit, error) {
	hits := []qdrant.Hit{{ID: "gone", Score: 1}}
	for id := range all.documents {
		hits = append(hits, qdrant.Hit{ID: id, Score: 0.5})
	}
	return hits, all.dead
}

func site(t *testing.T) (*Site, *memory) {
	t.Helper()
	all := &memory{documents: map[string]texts.Document{}}
	file := filepath.Join(t.TempDir(), "openapi.yaml")
	if err := os.WriteFile(file, []byte("openapi: 3.1.0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	version := Version{"1.2.3", "abc1234", "today"}
	return New(version, all, all, all, func() bool { return all.dead == nil }, file, log), all
}

func asking(t *testing.T, of *Site, method, path, body string) *httptest.ResponseRecorder {
	t.Helper()
	answer := httptest.NewRecorder()
	of.Handler().ServeHTTP(answer, httptest.NewRequest(method, path, strings.NewReader(body)))
	return answer
}

func holds(t *testing.T, answer *httptest.ResponseRecorder, status int, wanted ...string) {
	t.Helper()
	if answer.Code != status {
		t.Errorf("%d, not %d: %s", answer.Code, status, answer.Body)
	}
	for _, each := range wanted {
		if !strings.Contains(answer.Body.String(), each) {
			t.Errorf("no %s in %s", each, answer.Body)
		}
	}
}

func TestWhatIsPostedIsFoundAndTold(t *testing.T) {
	of, _ := site(t)
	made := asking(t, of, "POST", "/documents", `{"text": " Boats leave. "}`)
	holds(t, made, 202, texts.ID("Boats leave."))
	where := made.Header().Get("Location")
	holds(t, asking(t, of, "GET", where, ""), 200, `"text":"Boats leave."`, `"2026-07-01T22:30:00Z"`)
	holds(t, asking(t, of, "GET", where+"?zone=Europe/Berlin", ""), 200, `"2026-07-02T00:30:00+02:00"`)
	answer := asking(t, of, "GET", "/documents?like=boat&most=3", "")
	holds(t, answer, 200, `"score":0.5`, "Boats leave.")
	if strings.Contains(answer.Body.String(), "gone") {
		t.Error("a document without a text is shown")
	}
}

func TestWhatMakesNoSenseIsRefused(t *testing.T) {
	of, _ := site(t)
	for _, body := range []string{
		``, `{}`, `{"text": " "}`, `{"text": "…"}`, `{"text": "x", "title": 1}`, `{"text": "a\u0000"}`,
		`{"text": "` + strings.Repeat("x", longestText+1) + `"}`,
	} {
		holds(t, asking(t, of, "POST", "/documents", body), 400, "error")
	}
	for path, status := range map[string]int{
		"/documents": 400, "/documents?like=x&most=0": 400, "/documents?like=x&most=many": 400,
		"/documents/x": 400, "/documents/" + texts.ID("other"): 404, "/documents/x?zone=Nowhere/City": 400,
	} {
		holds(t, asking(t, of, "GET", path, ""), status, "error")
	}
}

func TestAFullQueueIsForLater(t *testing.T) {
	of, all := site(t)
	all.dead = queue.ErrFull
	answer := asking(t, of, "POST", "/documents", `{"text": "x"}`)
	holds(t, answer, 503, "wait")
	if answer.Header().Get("Retry-After") == "" {
		t.Error("nobody says when")
	}
}

func TestReadinessGoesWithTheStoresAndEndsFirst(t *testing.T) {
	of, all := site(t)
	holds(t, asking(t, of, "GET", "/readyz", ""), 200)
	all.dead = errors.New("secret words")
	holds(t, asking(t, of, "GET", "/readyz", ""), 503, "does not answer")
	holds(t, asking(t, of, "GET", "/livez", ""), 500, "worker")
	answer := asking(t, of, "GET", "/documents?like=x", "")
	holds(t, answer, 500)
	if strings.Contains(answer.Body.String(), "secret words") {
		t.Error(answer.Body)
	}
	all.dead = nil
	of.Drain()
	holds(t, asking(t, of, "GET", "/livez", ""), 200)
	holds(t, asking(t, of, "GET", "/readyz", ""), 503, "stopping")
}

func TestVersionAndDescription(t *testing.T) {
	of, _ := site(t)
	holds(t, asking(t, of, "GET", "/version", ""), 200, `"version":"1.2.3"`)
	holds(t, asking(t, of, "GET", "/openapi.yaml", ""), 200, "openapi: 3.1.0")
}
