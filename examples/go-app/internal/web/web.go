// Package web answers requests.
package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"

	"example.com/documents/internal/qdrant"
	"example.com/documents/internal/queue"
	"example.com/documents/internal/texts"
	"example.com/documents/internal/vector"
)

const (
	longestText          = 64 << 10
	fewestHits, mostHits = 1, 50
	askingStores         = 2 * time.Second
	again                = "10" // seconds
)

var id = regexp.MustCompile("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")

// Version is what a build says of itself.
type Version struct {
	Version   string `json:"version"`
	Commit    string `json:"commit"`
	BuildDate string `json:"build_date"`
}

// Queue is where posted documents go.
type Queue interface {
	Ping(context.Context) error
	Put(ctx context.Context, id, text string) error
}

// Texts is where documents are.
type Texts interface {
	Ping(context.Context) error
	Get(ctx context.Context, id string) (texts.Document, error)
	All(ctx context.Context, ids []string) (map[string]texts.Document, error)
}

// Index is where searches look.
type Index interface {
	Ping(context.Context) error
	Near(ctx context.Context, vector []float32, most int) ([]qdrant.Hit, error)
}

// Site is what answers.
type Site struct {
	version     Version
	queue       Queue
	texts       Texts
	index       Index
	alive       func() bool
	description string
	log         *slog.Logger
	draining    atomic.Bool
}

// New returns a site; `alive` tells of the worker, `description` is the file of the API's description.
func New(
	version Version, queue Queue, texts Texts, index Index, alive func() bool, description string, log *slog.Logger,
) *Site {
	return &Site{
		version: version, queue: queue, texts: texts, index: index, alive: alive, description: description, log: log,
	}
}

// Drain makes the site say that it is no longer ready, so that a proxy sends nothing new.
func (site *Site) Drain() { site.draining.Store(true) }

// problem is an answer that the asker can do something about.
type problem struct {
	status int
	told   string
}

func (wrong problem) Error() string { return wrong.told }

func bad(format string, values ...any) error {
	return problem{http.StatusBadRequest, fmt.Sprintf(format, values...)}
}

// found is one result of a search.
type found struct {
	texts.Document
	Score float64 `json:"score"`
}

// Handler returns all routes.
func (site *Site) Handler() http.Handler {
	mux := http.NewServeMux()
	answers := func(pattern string, answer func(*http.Request) (int, any, error)) {
		mux.HandleFunc(pattern, site.answering(answer))
	}
	answers("POST /documents", site.add)
	answers("GET /documents", site.search)
	answers("GET /documents/{id}", site.get)
	answers("GET /version", func(*http.Request) (int, any, error) { return http.StatusOK, site.version, nil })
	answers("GET /livez", site.live)
	answers("GET /readyz", site.ready)
	mux.HandleFunc("GET /openapi.yaml", site.describe)
	return otelhttp.NewHandler(mux, "documents", otelhttp.WithFilter(func(r *http.Request) bool {
		// Health checks would be most of all traces.
		return r.URL.Path != "/livez" && r.URL.Path != "/readyz"
	}))
}

func (site *Site) answering(answer func(*http.Request) (int, any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		status, body, err := answer(r)
		if err != nil {
			var wrong problem
			if !errors.As(err, &wrong) {
				site.log.Error("a request failed", "path", r.URL.Path, "error", err.Error())
				wrong = problem{http.StatusInternalServerError, "see the log"}
			}
			status, body = wrong.status, map[string]string{"error": wrong.told}
		}
		w.Header().Set("Content-Type", "application/json")
		if status == http.StatusServiceUnavailable {
			w.Header().Set("Retry-After", again)
		}
		if status == http.StatusAccepted {
			if made, isOne := body.(map[string]string); isOne {
				w.Header().Set("Location", "/documents/"+made["id"])
			}
		}
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body)
	}
}

func (site *Site) add(r *http.Request) (int, any, error) {
	var posted struct {
		Text string `json:"text"`
	}
	reader := json.NewDecoder(http.MaxBytesReader(nil, r.Body, 2*longestText))
	reader.DisallowUnknownFields()
	if err := reader.Decode(&posted); err != nil {
		return 0, nil, bad("the body is no document: %v", err)
	}
	text := strings.TrimSpace(posted.Text)
	if err := check("text", text); err != nil {
		return 0, nil, err
	}
	made := texts.ID(text)
	err := site.queue.Put(r.Context(), made, text)
	if errors.Is(err, queue.ErrFull) {
		return 0, nil, problem{http.StatusServiceUnavailable, err.Error()}
	}
	return http.StatusAccepted, map[string]string{"id": made}, err
}

func (site *Site) search(r *http.Request) (int, any, error) {
	query := strings.TrimSpace(r.URL.Query().Get("like"))
	if err := check("like", query); err != nil {
		return 0, nil, err
	}
	most := 5
	if text := r.URL.Query().Get("most"); text != "" {
		var err error
		if most, err = strconv.Atoi(text); err != nil || most < fewestHits || most > mostHits {
			return 0, nil, bad("most is %q, and is %d to %d", text, fewestHits, mostHits)
		}
	}
	hits, err := site.index.Near(r.Context(), vector.Of(query), most)
	if err != nil {
		return 0, nil, err
	}
	ids := make([]string, 0, len(hits))
	for _, hit := range hits {
		ids = append(ids, hit.ID)
	}
	kept, err := site.texts.All(r.Context(), ids)
	all := make([]found, 0, len(hits))
	for _, hit := range hits {
		if document, isKept := kept[hit.ID]; isKept {
			all = append(all, found{document, hit.Score})
		}
	}
	return http.StatusOK, all, err
}

func (site *Site) get(r *http.Request) (int, any, error) {
	zone, err := time.LoadLocation(r.URL.Query().Get("zone"))
	if err != nil {
		return 0, nil, bad("zone is %q, and is a name such as Europe/Berlin", r.URL.Query().Get("zone"))
	}
	wanted := r.PathValue("id")
	if !id.MatchString(wanted) {
		return 0, nil, bad("%q is no id of a document", wanted)
	}
	document, err := site.texts.Get(r.Context(), wanted)
	if errors.Is(err, texts.ErrUnknown) {
		return 0, nil, problem{http.StatusNotFound, err.Error()}
	}
	document.Stored = document.Stored.In(zone)
	return http.StatusOK, document, err
}

func (site *Site) live(*http.Request) (int, any, error) {
	if !site.alive() {
		return 0, nil, problem{http.StatusInternalServerError, "the worker hangs"}
	}
	return http.StatusOK, "alive", nil
}

func (site *Site) ready(r *http.Request) (int, any, error) {
	if site.draining.Load() {
		return 0, nil, problem{http.StatusServiceUnavailable, "stopping"}
	}
	ctx, cancel := context.WithTimeout(r.Context(), askingStores)
	defer cancel()
	for name, ping := range map[string]func(context.Context) error{
		"PostgreSQL": site.texts.Ping, "Redis": site.queue.Ping, "Qdrant": site.index.Ping,
	} {
		if err := ping(ctx); err != nil {
			site.log.Warn("not ready", "store", name, "error", err.Error())
			return 0, nil, problem{http.StatusServiceUnavailable, name + " does not answer"}
		}
	}
	return http.StatusOK, "ready", nil
}

func (site *Site) describe(w http.ResponseWriter, _ *http.Request) {
	text, err := os.ReadFile(site.description)
	if err != nil {
		site.log.Error("no description", "error", err.Error())
		http.Error(w, "see the log", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/yaml")
	_, _ = w.Write(text)
}

func check(name, text string) error {
	switch {
	case text == "" || len(text) > longestText:
		return bad("%s has 1 to %d bytes", name, longestText)
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return bad("%s is a text", name)
	case len(vector.Words(text)) == 0:
		return bad("%s has a word or a number", name)
	}
	return nil
}
