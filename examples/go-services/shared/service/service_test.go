package service

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
)

func none() (Service, error) { return Service{}, errors.New("not to be made") }

func TestVersionNamesServiceAndPlatform(t *testing.T) {
	var out bytes.Buffer
	if code := run("presence-service", []string{"version"}, &out, none); code != 0 {
		t.Fatalf("ended with %d", code)
	}
	want := "presence-service dev (unknown, unknown, " + runtime.GOOS + "/" + runtime.GOARCH + ")\n"
	if out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestUnknownCommandAndUnmadeServiceEndWithOne(t *testing.T) {
	for _, words := range [][]string{{"sevre"}, {"serve"}} {
		if code := run("x", words, &bytes.Buffer{}, none); code != 1 {
			t.Errorf("%v ended with %d", words, code)
		}
	}
}

func TestReadyTellsWhyNot(t *testing.T) {
	service := Service{Ready: func(context.Context) error { return errors.New("no store") }}
	answer := httptest.NewRecorder()
	Routes(service).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/readyz", nil))
	if answer.Code != http.StatusServiceUnavailable || !strings.Contains(answer.Body.String(), "no store") {
		t.Errorf("answered %d %s", answer.Code, answer.Body)
	}
}

func TestHealthcheckFollowsReadiness(t *testing.T) {
	var broken error
	server := httptest.NewServer(Routes(Service{Ready: func(context.Context) error { return broken }}))
	defer server.Close()
	_, port, err := net.SplitHostPort(strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PORT", port)
	if code := run("x", []string{"healthcheck"}, &bytes.Buffer{}, none); code != 0 {
		t.Errorf("a ready service: %d", code)
	}
	broken = errors.New("no store")
	if code := run("x", []string{"healthcheck"}, &bytes.Buffer{}, none); code != 1 {
		t.Errorf("a service that is not ready: %d", code)
	}
}

func TestRequestsInFlightAreFinished(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	begun, goOn := make(chan struct{}), make(chan struct{})
	service := Service{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			close(begun)
			<-goOn
			JSON(w, http.StatusOK, "done")
		}),
		Background: func(ctx context.Context) { <-ctx.Done() },
	}
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, listener, service) }()
	answered := make(chan error, 1)
	go func() {
		var said string
		err := Call(context.Background(), http.MethodGet, "http://"+listener.Addr().String()+"/", nil, &said)
		if err == nil && said != "done" {
			err = errors.New("said " + said)
		}
		answered <- err
	}()
	<-begun
	stop()
	close(goOn)
	if err := <-answered; err != nil {
		t.Errorf("the request in flight: %v", err)
	}
	if err := <-ended; err != nil {
		t.Errorf("the service ended with %v", err)
	}
}

func TestCallTellsTheStatus(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	err := Call(context.Background(), http.MethodPut, server.URL, map[string]string{}, nil)
	var status StatusError
	if !errors.As(err, &status) || status.Status != http.StatusNotFound {
		t.Errorf("got %v", err)
	}
}
