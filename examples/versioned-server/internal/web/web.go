// Package web answers requests.
package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"example.com/places/internal/snapshots"
	"example.com/places/internal/store"
	"example.com/places/internal/tokens"
)

const (
	longestName    = 200
	largestBody    = 64 << 10
	mostFound      = 20
	farthest       = 20_100_000 // metres: half the way round
	askingDatabase = 2 * time.Second
	Slot           = "X-Slot"
)

// Version is what a build says of itself.
type Version struct {
	Version   string `json:"version"`
	Commit    string `json:"commit"`
	BuildDate string `json:"build_date"`
}

// Places is what the site needs of the store.
type Places interface {
	Ping(context.Context) error
	Add(context.Context, store.Place) (int64, error)
	Named(ctx context.Context, name string, most int) ([]store.Place, error)
	Near(ctx context.Context, latitude, longitude, metres float64, most int) ([]store.Place, error)
	Alike(ctx context.Context, id int64, most int) ([]store.Place, error)
	All(context.Context) iter.Seq2[any, error]
	Status(context.Context) (store.Status, error)
	Costly(ctx context.Context, most int) ([]store.Query, error)
}

// Site is what answers.
type Site struct {
	version  Version
	slot     string
	secret   []byte
	places   Places
	folder   snapshots.Folder
	log      *slog.Logger
	draining atomic.Bool
}

// New returns a site; an empty slot is not told of.
func New(version Version, slot string, secret []byte, places Places, folder snapshots.Folder, log *slog.Logger) *Site {
	return &Site{version: version, slot: slot, secret: secret, places: places, folder: folder, log: log}
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

// Handler returns all routes.
func (site *Site) Handler() http.Handler {
	mux := http.NewServeMux()
	open := func(pattern string, answer func(*http.Request) (int, any, error)) {
		mux.HandleFunc(pattern, site.answering(answer))
	}
	closed := func(pattern string, answer func(*http.Request) (int, any, error)) {
		open(pattern, func(r *http.Request) (int, any, error) {
			if _, err := tokens.Subject(site.secret, r); err != nil {
				return 0, nil, problem{http.StatusUnauthorized, err.Error()}
			}
			return answer(r)
		})
	}
	open("GET /version", func(*http.Request) (int, any, error) { return http.StatusOK, site.version, nil })
	open("GET /livez", func(*http.Request) (int, any, error) { return http.StatusOK, "alive", nil })
	open("GET /readyz", site.ready)
	open("GET /status", site.status)
	open("GET /places", site.named)
	open("GET /places/near", site.near)
	open("GET /places/{id}/alike", site.alike)
	open("GET /snapshots", site.listed)
	closed("POST /places", site.add)
	closed("POST /snapshots", site.snapshot)
	closed("GET /queries", site.costly)
	return site.slotted(mux)
}

// slotted says which slot answers, whatever the answer is.
func (site *Site) slotted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if site.slot != "" {
			w.Header().Set(Slot, site.slot)
		}
		next.ServeHTTP(w, r)
	})
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
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body)
	}
}

func (site *Site) ready(r *http.Request) (int, any, error) {
	ctx, cancel := context.WithTimeout(r.Context(), askingDatabase)
	defer cancel()
	if site.draining.Load() {
		return 0, nil, problem{http.StatusServiceUnavailable, "stopping"}
	}
	if err := site.places.Ping(ctx); err != nil {
		site.log.Warn("not ready", "error", err.Error())
		return 0, nil, problem{http.StatusServiceUnavailable, "the database does not answer"}
	}
	return http.StatusOK, "ready", nil
}

func (site *Site) status(r *http.Request) (int, any, error) {
	status, err := site.places.Status(r.Context())
	return http.StatusOK, map[string]any{"version": site.version, "slot": site.slot, "database": status}, err
}

func (site *Site) named(r *http.Request) (int, any, error) {
	name := strings.TrimSpace(r.URL.Query().Get("q"))
	if name == "" || !utf8.ValidString(name) || strings.ContainsRune(name, 0) {
		return 0, nil, bad("q is no name: GET /places?q=NAME")
	}
	found, err := site.places.Named(r.Context(), name, mostFound)
	return http.StatusOK, found, err
}

func (site *Site) near(r *http.Request) (int, any, error) {
	query := r.URL.Query()
	latitude, err1 := figure(query, "lat", -90, 90)
	longitude, err2 := figure(query, "lon", -180, 180)
	metres, err3 := figure(query, "metres", 0, farthest)
	if err := errors.Join(err1, err2, err3); err != nil {
		return 0, nil, bad("%v", err)
	}
	found, err := site.places.Near(r.Context(), latitude, longitude, metres, mostFound)
	return http.StatusOK, found, err
}

func (site *Site) alike(r *http.Request) (int, any, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return 0, nil, bad("%q is no number of a place", r.PathValue("id"))
	}
	found, err := site.places.Alike(r.Context(), id, mostFound)
	if errors.Is(err, store.ErrUnknown) {
		return 0, nil, problem{http.StatusNotFound, err.Error()}
	}
	return http.StatusOK, found, err
}

func (site *Site) add(r *http.Request) (int, any, error) {
	var place store.Place
	reader := json.NewDecoder(http.MaxBytesReader(nil, r.Body, largestBody))
	reader.DisallowUnknownFields()
	if err := reader.Decode(&place); err != nil {
		return 0, nil, bad("the body is no place: %v", err)
	}
	place.Name = strings.TrimSpace(place.Name)
	switch {
	case place.Name == "" || len(place.Name) > longestName:
		return 0, nil, bad("name has 1 to %d bytes", longestName)
	case strings.ContainsRune(place.Name+place.Note, 0):
		return 0, nil, bad("name and note are texts")
	case math.Abs(place.Latitude) > 90 || math.Abs(place.Longitude) > 180:
		return 0, nil, bad("latitude is -90 to 90, longitude -180 to 180")
	}
	id, err := site.places.Add(r.Context(), place)
	return http.StatusCreated, map[string]int64{"id": id}, err
}

func (site *Site) snapshot(r *http.Request) (int, any, error) {
	made, err := site.folder.Write(time.Now(), site.places.All(r.Context()))
	return http.StatusCreated, made, err
}

func (site *Site) listed(*http.Request) (int, any, error) {
	found, err := site.folder.List()
	return http.StatusOK, found, err
}

func (site *Site) costly(r *http.Request) (int, any, error) {
	found, err := site.places.Costly(r.Context(), mostFound)
	return http.StatusOK, found, err
}

func figure(query url.Values, name string, least, most float64) (float64, error) {
	value, err := strconv.ParseFloat(query.Get(name), 64)
	// Written so that it refuses what is no number, too.
	if err != nil || !(value >= least && value <= most) {
		return 0, fmt.Errorf("%s is %q, and is a figure from %g to %g", name, query.Get(name), least, most)
	}
	return value, nil
}
