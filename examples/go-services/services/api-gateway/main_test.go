package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"chorus.example/shared/service"
)

// platform is a gateway whose upstreams each answer with their name and what they were asked.
func platform(t *testing.T) http.Handler {
	t.Helper()
	addresses := map[string]string{}
	for name := range upstreams() {
		server := httptest.NewServer(service.Routes(service.Service{
			Name: name,
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				service.JSON(w, http.StatusOK, name+" "+r.Method+" "+r.URL.Path+" "+r.Header.Get(requestID))
			}),
		}))
		t.Cleanup(server.Close)
		addresses[name] = server.URL
	}
	made, err := newGateway(addresses)
	if err != nil {
		t.Fatal(err)
	}
	if err := made.ready(context.Background()); err != nil {
		t.Errorf("not ready: %v", err)
	}
	return made.routes()
}

func asked(handler http.Handler, method, path string) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	request := httptest.NewRequest(method, path, nil)
	request.Header.Set(requestID, "r1")
	handler.ServeHTTP(answer, request)
	return answer
}

func TestEachPathGoesToItsService(t *testing.T) {
	handler := platform(t)
	for request, want := range map[string]string{
		"GET /presence/ada":             "presence-service",
		"POST /workflows/handover/runs": "workflow-engine",
		"GET /runs/1":                   "workflow-engine",
		"GET /ws":                       "websocket-gateway",
	} {
		method, path, _ := strings.Cut(request, " ")
		answer := asked(handler, method, path)
		if said := answer.Body.String(); !strings.Contains(said, want+" "+request+" r1") {
			t.Errorf("%s was answered by %s", request, said)
		}
	}
}

func TestPresenceIsNotChangedFromOutside(t *testing.T) {
	if answer := asked(platform(t), http.MethodPut, "/presence/ada"); answer.Code != http.StatusMethodNotAllowed {
		t.Errorf("answered %d", answer.Code)
	}
}

func TestStatusHasTheVersionOfEachService(t *testing.T) {
	said := asked(platform(t), http.MethodGet, "/status").Body.String()
	for name := range upstreams() {
		if !strings.Contains(said, `"service":"`+name+`","version":"dev"`) {
			t.Errorf("%s is not in %s", name, said)
		}
	}
}

func TestAServiceThatIsGoneIsTold(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	made, err := newGateway(map[string]string{
		"presence-service": gone.URL, "workflow-engine": gone.URL, "websocket-gateway": gone.URL,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := made.ready(context.Background()); err == nil {
		t.Error("ready without any other service")
	}
	answer := asked(made.routes(), http.MethodGet, "/presence")
	if answer.Code != http.StatusBadGateway || !strings.Contains(answer.Body.String(), "presence-service does not answer") {
		t.Errorf("answered %d %s", answer.Code, answer.Body)
	}
}

func TestAnAddressWithoutAHostIsRefused(t *testing.T) {
	if _, err := newGateway(map[string]string{"presence-service": "presence-service:8081"}); err == nil {
		t.Error("taken")
	}
}
