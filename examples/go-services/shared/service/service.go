// Package service makes a handler a service of this platform: one port, health, version, a clean end.
package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// DefaultPort is what a service listens on where PORT says nothing.
const DefaultPort = "8081"

const (
	readHeaderTimeout = 5 * time.Second
	readyTimeout      = 2 * time.Second
	// Less than the 10 s that Compose leaves a container between SIGTERM and SIGKILL.
	drainTimeout = 8 * time.Second
)

// Set by the linker: go build -ldflags "-X chorus.example/shared/service.version=…".
var (
	version = "dev"
	commit  = "unknown"
	date    = "unknown"
)

// Service is one part of the platform.
type Service struct {
	Name string
	// Handler answers everything but /healthz, /readyz and /version.
	Handler http.Handler
	// Ready returns why the service cannot do its work now; nil means always ready.
	Ready func(context.Context) error
	// Background runs until its context ends; nil means nothing does.
	Background func(context.Context)
}

// Main runs a command of the program and ends it with the command's exit code.
//
// The commands are serve (the default), healthcheck and version.
func Main(name string, made func() (Service, error)) {
	os.Exit(run(name, os.Args[1:], os.Stdout, made))
}

func run(name string, words []string, out io.Writer, made func() (Service, error)) int {
	command := "serve"
	if len(words) > 0 {
		command = words[0]
	}
	var err error
	switch command {
	case "serve":
		err = serve(name, made)
	case "healthcheck":
		err = check("http://" + net.JoinHostPort("127.0.0.1", port()) + "/readyz")
	case "version":
		_, err = fmt.Fprintln(out, versionLine(name))
	default:
		err = fmt.Errorf("unknown command %q: serve, healthcheck or version", command)
	}
	if err != nil {
		slog.Error("ended", "service", name, "error", err)
		return 1
	}
	return 0
}

func serve(name string, made func() (Service, error)) error {
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stderr, nil)).With("service", name))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	service, err := made()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", ":"+port())
	if err != nil {
		return err
	}
	slog.Info("listening", "address", listener.Addr().String(), "version", version)
	return Serve(ctx, listener, service)
}

// Serve answers on a listener until the context ends, then finishes the requests in flight.
func Serve(ctx context.Context, listener net.Listener, service Service) error {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	server := &http.Server{
		Handler:           Routes(service),
		ReadHeaderTimeout: readHeaderTimeout,
		// Long connections, such as websockets, see the end of the service by their request.
		BaseContext: func(net.Listener) context.Context { return inner },
	}
	background := make(chan struct{})
	go func() {
		defer close(background)
		if service.Background != nil {
			service.Background(inner)
		}
	}()
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	slog.Info("ending")
	draining, undo := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer undo()
	err := server.Shutdown(draining)
	cancel()
	<-background
	return err
}

// Routes returns the service's handler behind what all services answer.
func Routes(service Service) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		JSON(w, http.StatusOK, map[string]string{"status": "alive"})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
		defer cancel()
		if service.Ready != nil {
			if err := service.Ready(ctx); err != nil {
				Problem(w, http.StatusServiceUnavailable, err)
				return
			}
		}
		JSON(w, http.StatusOK, map[string]string{"status": "ready"})
	})
	mux.HandleFunc("GET /version", func(w http.ResponseWriter, _ *http.Request) {
		JSON(w, http.StatusOK, map[string]string{
			"service": service.Name, "version": version, "commit": commit, "date": date,
		})
	})
	if service.Handler != nil {
		mux.Handle("/", service.Handler)
	}
	return mux
}

// JSON writes a value as the answer.
func JSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(value); err != nil {
		slog.Warn("an answer was not read", "error", err)
	}
}

// Problem writes an error as the answer.
func Problem(w http.ResponseWriter, status int, err error) {
	JSON(w, status, map[string]string{"error": err.Error()})
}

// Setting returns a variable of the environment, or its default.
func Setting(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

// Client asks other services; it follows no redirects, for none of them sends any.
var Client = &http.Client{
	Timeout: readyTimeout,
	CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	},
}

// Call asks another service and decodes its answer into a value, unless that is nil.
func Call(ctx context.Context, method, url string, body, into any) (err error) {
	var sent io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return err
		}
		sent = strings.NewReader(string(encoded))
	}
	request, err := http.NewRequestWithContext(ctx, method, url, sent)
	if err != nil {
		return err
	}
	answer, err := Client.Do(request)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, answer.Body.Close()) }()
	if answer.StatusCode >= http.StatusBadRequest {
		return StatusError{URL: url, Status: answer.StatusCode}
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(answer.Body).Decode(into)
}

// StatusError is an answer that tells of an error.
type StatusError struct {
	URL    string
	Status int
}

func (e StatusError) Error() string {
	return fmt.Sprintf("%s answered %d", e.URL, e.Status)
}

func check(url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	return Call(ctx, http.MethodGet, url, nil, nil)
}

func port() string { return Setting("PORT", DefaultPort) }

func versionLine(name string) string {
	return fmt.Sprintf("%s %s (%s, %s, %s/%s)", name, version, commit, date, runtime.GOOS, runtime.GOARCH)
}
