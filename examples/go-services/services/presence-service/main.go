// Command presence-service knows who is there, and forgets who is not heard of any more.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"chorus.example/shared/service"
)

// Presence is what is known of a user.
type Presence struct {
	User   string `json:"user"`
	Status string `json:"status"`
}

// Store keeps presences, each until its time is over.
type Store interface {
	Put(ctx context.Context, presence Presence, ttl time.Duration) error
	// Get returns a presence, and whether there is one.
	Get(ctx context.Context, user string) (Presence, bool, error)
	Remove(ctx context.Context, user string) error
	// All returns the presences in no particular order.
	All(ctx context.Context) ([]Presence, error)
	Ping(ctx context.Context) error
}

const (
	defaultTTL = "90s"
	mostBytes  = 4 << 10
)

var (
	statuses  = []string{"online", "away", "busy"}
	userNames = regexp.MustCompile(`^[\w.-]{1,64}$`)
)

func main() {
	service.Main("presence-service", func() (service.Service, error) {
		ttl, err := time.ParseDuration(service.Setting("PRESENCE_TTL", defaultTTL))
		if err != nil {
			return service.Service{}, fmt.Errorf("PRESENCE_TTL: %w", err)
		}
		store := newRedisStore(
			service.Setting("REDIS_ADDRESS", "redis:6379"), service.Setting("REDIS_PASSWORD", ""),
		)
		return service.Service{
			Name:    "presence-service",
			Handler: routes(store, ttl),
			Ready:   store.Ping,
		}, nil
	})
}

func routes(store Store, ttl time.Duration) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /presence", func(w http.ResponseWriter, r *http.Request) {
		all, err := store.All(r.Context())
		if err != nil {
			service.Problem(w, http.StatusBadGateway, err)
			return
		}
		slices.SortFunc(all, func(a, b Presence) int { return strings.Compare(a.User, b.User) })
		service.JSON(w, http.StatusOK, map[string]any{"presences": all})
	})
	mux.HandleFunc("GET /presence/{user}", func(w http.ResponseWriter, r *http.Request) {
		presence, there, err := store.Get(r.Context(), r.PathValue("user"))
		switch {
		case err != nil:
			service.Problem(w, http.StatusBadGateway, err)
		case !there:
			service.Problem(w, http.StatusNotFound, errors.New("nobody of that name is there"))
		default:
			service.JSON(w, http.StatusOK, presence)
		}
	})
	mux.HandleFunc("PUT /presence/{user}", func(w http.ResponseWriter, r *http.Request) {
		presence, err := read(w, r)
		if err != nil {
			service.Problem(w, http.StatusBadRequest, err)
			return
		}
		if err := store.Put(r.Context(), presence, ttl); err != nil {
			service.Problem(w, http.StatusBadGateway, err)
			return
		}
		service.JSON(w, http.StatusOK, presence)
	})
	mux.HandleFunc("DELETE /presence/{user}", func(w http.ResponseWriter, r *http.Request) {
		if err := store.Remove(r.Context(), r.PathValue("user")); err != nil {
			service.Problem(w, http.StatusBadGateway, err)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

func read(w http.ResponseWriter, r *http.Request) (Presence, error) {
	var presence Presence
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, mostBytes)).Decode(&presence); err != nil {
		return Presence{}, fmt.Errorf("the body is no presence: %w", err)
	}
	presence.User = r.PathValue("user")
	if !userNames.MatchString(presence.User) {
		return Presence{}, errors.New("a user is 1 to 64 letters, digits, dots, dashes and underscores")
	}
	if !slices.Contains(statuses, presence.Status) {
		return Presence{}, fmt.Errorf("unknown status %q: one of %v", presence.Status, statuses)
	}
	return presence, nil
}
