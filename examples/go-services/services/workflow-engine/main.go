// Command workflow-engine runs the workflow "handover": work goes to the first who is available.
//
// A run waits until one of its candidates is online, by what the presence service knows.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"chorus.example/shared/service"
)

// States of a run.
const (
	waiting  = "waiting"
	assigned = "assigned"
)

const (
	mostBytes      = 16 << 10
	mostCandidates = 50
)

// Run is one piece of work on its way to somebody.
type Run struct {
	ID         string   `json:"id"`
	Subject    string   `json:"subject"`
	Candidates []string `json:"candidates"`
	// Zone is whose clock AssignedAt is told by, such as Europe/Berlin.
	Zone       string `json:"zone"`
	State      string `json:"state"`
	Assignee   string `json:"assignee,omitempty"`
	AssignedAt string `json:"assigned_at,omitempty"`
}

// Store keeps runs.
type Store interface {
	Add(ctx context.Context, run Run) error
	// Get returns a run, and whether there is one.
	Get(ctx context.Context, id string) (Run, bool, error)
	Waiting(ctx context.Context) ([]string, error)
	// Assign gives a run to somebody and returns it; the first of several engines wins.
	Assign(ctx context.Context, run Run, assignee, at string) (Run, error)
	Ping(ctx context.Context) error
}

// Engine brings runs forward.
type Engine struct {
	store Store
	// available tells whether somebody is online.
	available func(ctx context.Context, user string) (bool, error)
	now       func() time.Time
}

func main() {
	service.Main("workflow-engine", func() (service.Service, error) {
		every, err := time.ParseDuration(service.Setting("WORKFLOW_INTERVAL", "1s"))
		if err != nil || every <= 0 {
			return service.Service{}, fmt.Errorf("WORKFLOW_INTERVAL is no positive duration: %w", err)
		}
		engine := Engine{
			store: newRedisStore(
				service.Setting("REDIS_ADDRESS", "redis:6379"), service.Setting("REDIS_PASSWORD", ""),
			),
			available: presenceOf(service.Setting("PRESENCE_URL", "http://presence-service:8081")),
			now:       time.Now,
		}
		return service.Service{
			Name:       "workflow-engine",
			Handler:    engine.routes(),
			Ready:      engine.store.Ping,
			Background: func(ctx context.Context) { engine.run(ctx, every) },
		}, nil
	})
}

func presenceOf(address string) func(context.Context, string) (bool, error) {
	return func(ctx context.Context, user string) (bool, error) {
		var presence struct {
			Status string `json:"status"`
		}
		err := service.Call(ctx, http.MethodGet, address+"/presence/"+user, nil, &presence)
		var status service.StatusError
		if errors.As(err, &status) && status.Status == http.StatusNotFound {
			return false, nil
		}
		return presence.Status == "online", err
	}
}

func (e Engine) run(ctx context.Context, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		if err := e.forward(ctx); err != nil && ctx.Err() == nil {
			slog.Warn("runs wait on", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// forward looks at every waiting run once; one that fails does not keep the others.
func (e Engine) forward(ctx context.Context) error {
	ids, err := e.store.Waiting(ctx)
	for _, id := range ids {
		run, there, failed := e.store.Get(ctx, id)
		if failed == nil && there {
			_, failed = e.step(ctx, run)
		}
		err = errors.Join(err, failed)
	}
	return err
}

// step gives a run to the first of its candidates who is available, and returns it.
func (e Engine) step(ctx context.Context, run Run) (Run, error) {
	zone, err := time.LoadLocation(run.Zone)
	if err != nil {
		return run, err
	}
	for _, candidate := range run.Candidates {
		there, err := e.available(ctx, candidate)
		if err != nil {
			return run, err
		}
		if there {
			slog.Info("assigned", "run", run.ID, "assignee", candidate)
			return e.store.Assign(ctx, run, candidate, e.now().In(zone).Format(time.RFC3339))
		}
	}
	return run, nil
}

func (e Engine) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /workflows/handover/runs", func(w http.ResponseWriter, r *http.Request) {
		run, err := read(w, r)
		if err != nil {
			service.Problem(w, http.StatusBadRequest, err)
			return
		}
		if err := e.store.Add(r.Context(), run); err != nil {
			service.Problem(w, http.StatusBadGateway, err)
			return
		}
		stepped, err := e.step(r.Context(), run)
		if err != nil {
			// It is kept, and is looked at again.
			slog.Warn("a run waits", "run", run.ID, "error", err)
		}
		service.JSON(w, http.StatusAccepted, stepped)
	})
	mux.HandleFunc("GET /runs/{id}", func(w http.ResponseWriter, r *http.Request) {
		run, there, err := e.store.Get(r.Context(), r.PathValue("id"))
		switch {
		case err != nil:
			service.Problem(w, http.StatusBadGateway, err)
		case !there:
			service.Problem(w, http.StatusNotFound, errors.New("there is no such run"))
		default:
			service.JSON(w, http.StatusOK, run)
		}
	})
	return mux
}

func read(w http.ResponseWriter, r *http.Request) (Run, error) {
	var asked struct {
		Subject    string   `json:"subject"`
		Candidates []string `json:"candidates"`
		Zone       string   `json:"zone"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, mostBytes)).Decode(&asked); err != nil {
		return Run{}, fmt.Errorf("the body is no run: %w", err)
	}
	if asked.Subject == "" || len(asked.Candidates) == 0 || len(asked.Candidates) > mostCandidates {
		return Run{}, fmt.Errorf("a run needs a subject and 1 to %d candidates", mostCandidates)
	}
	if asked.Zone == "" {
		asked.Zone = "Etc/UTC"
	}
	if _, err := time.LoadLocation(asked.Zone); err != nil {
		return Run{}, err
	}
	return Run{
		ID:         rand.Text(),
		Subject:    asked.Subject,
		Candidates: asked.Candidates,
		Zone:       asked.Zone,
		State:      waiting,
	}, nil
}
