package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

type memory struct{ runs map[string]Run }

func (m memory) Add(_ context.Context, run Run) error {
	m.runs[run.ID] = run
	return nil
}

func (m memory) Get(_ context.Context, id string) (Run, bool, error) {
	run, there := m.runs[id]
	return run, there, nil
}

func (m memory) Waiting(context.Context) ([]string, error) {
	var ids []string
	for id, run := range m.runs {
		if run.State == waiting {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

func (m memory) Assign(_ context.Context, run Run, assignee, at string) (Run, error) {
	run.State, run.Assignee, run.AssignedAt = assigned, assignee, at
	m.runs[run.ID] = run
	return run, nil
}

func (m memory) Ping(context.Context) error { return nil }

func engineWith(online map[string]bool, err error) Engine {
	return Engine{
		store:     memory{map[string]Run{}},
		available: func(_ context.Context, user string) (bool, error) { return online[user], err },
		now:       func() time.Time { return time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC) },
	}
}

func posted(t *testing.T, engine Engine, body string) (int, Run) {
	t.Helper()
	answer := httptest.NewRecorder()
	request := httptest.NewRequest(http.MethodPost, "/workflows/handover/runs", strings.NewReader(body))
	engine.routes().ServeHTTP(answer, request)
	var run Run
	if err := json.Unmarshal(answer.Body.Bytes(), &run); err != nil {
		t.Fatal(err)
	}
	return answer.Code, run
}

func TestWorkGoesToTheFirstWhoIsOnline(t *testing.T) {
	engine := engineWith(map[string]bool{"bob": true, "cy": true}, nil)
	code, run := posted(t, engine, `{"subject":"order 17","candidates":["ada","bob","cy"],"zone":"Europe/Berlin"}`)
	if code != http.StatusAccepted || run.State != assigned || run.Assignee != "bob" {
		t.Errorf("answered %d %+v", code, run)
	}
	if run.AssignedAt != "2026-07-01T14:00:00+02:00" {
		t.Errorf("assigned at %s", run.AssignedAt)
	}
}

func TestARunWaitsUntilSomebodyIsOnline(t *testing.T) {
	online := map[string]bool{}
	engine := engineWith(online, nil)
	_, run := posted(t, engine, `{"subject":"order 17","candidates":["ada"]}`)
	if run.State != waiting {
		t.Fatalf("is %s", run.State)
	}
	online["ada"] = true
	if err := engine.forward(context.Background()); err != nil {
		t.Fatal(err)
	}
	answer := httptest.NewRecorder()
	engine.routes().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/runs/"+run.ID, nil))
	if !strings.Contains(answer.Body.String(), `"assignee":"ada"`) {
		t.Errorf("is %s", answer.Body)
	}
}

func TestARunIsKeptWhilePresenceIsNotKnown(t *testing.T) {
	engine := engineWith(nil, errors.New("presence is down"))
	code, run := posted(t, engine, `{"subject":"order 17","candidates":["ada"]}`)
	if code != http.StatusAccepted || run.State != waiting {
		t.Errorf("answered %d %+v", code, run)
	}
	if err := engine.forward(context.Background()); err == nil {
		t.Error("the failure is not told")
	}
}

func TestWhatIsNoRunIsRefused(t *testing.T) {
	engine := engineWith(nil, nil)
	for _, body := range []string{
		`{}`, `not JSON`, `{"subject":"x","candidates":[]}`, `{"subject":"x","candidates":["a"],"zone":"Mars/Olympus"}`,
	} {
		if code, _ := posted(t, engine, body); code != http.StatusBadRequest {
			t.Errorf("%s answered %d", body, code)
		}
	}
}

func TestSomebodyUnknownToPresenceIsNotAvailable(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/presence/ada":
			_, _ = w.Write([]byte(`{"status":"online"}`))
		case "/presence/bob":
			_, _ = w.Write([]byte(`{"status":"busy"}`))
		case "/presence/cy":
			w.WriteHeader(http.StatusInternalServerError)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer server.Close()
	available := presenceOf(server.URL)
	for user, want := range map[string]bool{"ada": true, "bob": false, "nobody": false} {
		if there, err := available(context.Background(), user); there != want || err != nil {
			t.Errorf("%s: %v %v", user, there, err)
		}
	}
	if _, err := available(context.Background(), "cy"); err == nil {
		t.Error("a failure of presence passes for an absence")
	}
}
