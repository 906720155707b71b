package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

type memory struct {
	kept map[string]Presence
	ttl  time.Duration
	err  error
}

func (m *memory) Put(_ context.Context, presence Presence, ttl time.Duration) error {
	m.kept[presence.User], m.ttl = presence, ttl
	return m.err
}

func (m *memory) Get(_ context.Context, user string) (Presence, bool, error) {
	presence, there := m.kept[user]
	return presence, there, m.err
}

func (m *memory) Remove(_ context.Context, user string) error {
	delete(m.kept, user)
	return m.err
}

func (m *memory) All(context.Context) ([]Presence, error) {
	var all []Presence
	for _, presence := range m.kept {
		all = append(all, presence)
	}
	return all, m.err
}

func (m *memory) Ping(context.Context) error { return m.err }

func asked(store Store, method, path, body string) (int, string) {
	answer := httptest.NewRecorder()
	request := httptest.NewRequest(method, path, strings.NewReader(body))
	routes(store, time.Minute).ServeHTTP(answer, request)
	return answer.Code, strings.TrimSpace(answer.Body.String())
}

func TestAPresenceIsThereUntilItIsRemoved(t *testing.T) {
	store := &memory{kept: map[string]Presence{}}
	if code, said := asked(store, http.MethodPut, "/presence/ada", `{"status":"away"}`); code != http.StatusOK {
		t.Fatalf("PUT answered %d %s", code, said)
	}
	if store.ttl != time.Minute {
		t.Errorf("kept for %s", store.ttl)
	}
	if code, said := asked(store, http.MethodGet, "/presence/ada", ""); code != http.StatusOK || said != `{"user":"ada","status":"away"}` {
		t.Errorf("GET answered %d %s", code, said)
	}
	if code, _ := asked(store, http.MethodDelete, "/presence/ada", ""); code != http.StatusNoContent {
		t.Errorf("DELETE answered %d", code)
	}
	if code, _ := asked(store, http.MethodGet, "/presence/ada", ""); code != http.StatusNotFound {
		t.Errorf("GET of nobody answered %d", code)
	}
}

func TestAllAreSortedByName(t *testing.T) {
	store := &memory{kept: map[string]Presence{
		"bob": {"bob", "busy"}, "ada": {"ada", "online"}, "cy": {"cy", "away"},
	}}
	_, said := asked(store, http.MethodGet, "/presence", "")
	want := `{"presences":[{"user":"ada","status":"online"},{"user":"bob","status":"busy"},{"user":"cy","status":"away"}]}`
	if said != want {
		t.Errorf("got %s", said)
	}
}

func TestWhatIsNoPresenceIsRefused(t *testing.T) {
	for _, each := range [][2]string{
		{"/presence/ada", `{"status":"asleep"}`},
		{"/presence/ada", `not JSON`},
		{"/presence/a%20b", `{"status":"online"}`},
	} {
		store := &memory{kept: map[string]Presence{}}
		if code, said := asked(store, http.MethodPut, each[0], each[1]); code != http.StatusBadRequest || len(store.kept) != 0 {
			t.Errorf("%v answered %d %s", each, code, said)
		}
	}
}

func TestAStoreThatFailsIsTold(t *testing.T) {
	store := &memory{kept: map[string]Presence{}, err: errors.New("no store")}
	for method, path := range map[string]string{http.MethodGet: "/presence", http.MethodDelete: "/presence/ada"} {
		if code, said := asked(store, method, path, ""); code != http.StatusBadGateway || !strings.Contains(said, "no store") {
			t.Errorf("%s %s answered %d %s", method, path, code, said)
		}
	}
}
