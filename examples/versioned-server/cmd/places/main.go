// Places keeps names, notes and positions, and finds them again by what they are called, where they
// are, and what they are like.
package main

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
	"strconv"
	"syscall"
	"time"

	"example.com/places/internal/settings"
	"example.com/places/internal/snapshots"
	"example.com/places/internal/store"
	"example.com/places/internal/tokens"
	"example.com/places/internal/web"
)

// What a build says of itself by -ldflags "-X main.version=…"; see the README.
var (
	version = "dev"
	commit  = "unknown"
	date    = "unknown"
)

const (
	usage = `usage: places COMMAND

  serve         answer requests on $PORT until SIGTERM
  version       say which version this is; with --json for programs
  healthcheck   end with 0 if the server on $PORT is ready
  token         print a token for writing, good for ten minutes
`
	// Requests in flight are finished within it. Compose waits longer before it kills.
	drain       = 8 * time.Second
	askingReady = 2 * time.Second
	tokenLife   = 10 * time.Minute
)

func main() {
	os.Exit(run(os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}

func run(words []string, getenv func(string) string, out, problems io.Writer) int {
	if len(words) == 0 {
		fmt.Fprint(problems, usage)
		return 2
	}
	var err error
	switch words[0] {
	case "serve":
		err = serve(getenv, problems)
	case "version", "--version":
		err = tell(out, words[1:])
	case "healthcheck":
		err = healthcheck(getenv)
	case "token":
		err = token(getenv, out)
	default:
		fmt.Fprint(problems, usage)
		return 2
	}
	if err != nil {
		fmt.Fprintf(problems, "places %s: %v\n", words[0], err)
		return 1
	}
	return 0
}

func about() web.Version {
	return web.Version{Version: version, Commit: commit, BuildDate: date}
}

func tell(out io.Writer, words []string) error {
	if len(words) > 0 && words[0] == "--json" {
		return json.NewEncoder(out).Encode(about())
	}
	_, err := fmt.Fprintf(out, "places %s (commit %s, built %s)\n", version, commit, date)
	return err
}

func healthcheck(getenv func(string) string) error {
	port, err := settings.Port(getenv)
	if err != nil {
		return err
	}
	client := http.Client{Timeout: askingReady}
	answer, err := client.Get("http://127.0.0.1:" + strconv.Itoa(port) + "/readyz")
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		told, _ := io.ReadAll(io.LimitReader(answer.Body, 300))
		return fmt.Errorf("%s: %s", answer.Status, told)
	}
	return nil
}

func token(getenv func(string) string, out io.Writer) error {
	own, err := settings.Read(getenv)
	if err != nil {
		return err
	}
	written, err := tokens.Issue(own.JWTSecret, "operator", time.Now().Add(tokenLife))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, written)
	return err
}

func serve(getenv func(string) string, problems io.Writer) error {
	own, err := settings.Read(getenv)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(problems, &slog.HandlerOptions{Level: own.LogLevel}))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	places, err := store.Open(ctx, own.Database)
	if err != nil {
		return fmt.Errorf("the database at %s: %w", own.Database.Host, err)
	}
	defer places.Close()
	site := web.New(about(), own.Slot, own.JWTSecret, places, snapshots.Folder(own.Snapshots), log)
	listener, err := net.Listen("tcp", ":"+strconv.Itoa(own.Port))
	if err != nil {
		return err
	}
	return answer(ctx, listener, own.Linger, site, log.With("version", version, "slot", own.Slot))
}

// answer takes requests until the context ends and, no longer ready, for as long as it lingers; then
// it finishes what it has begun.
func answer(ctx context.Context, listener net.Listener, linger time.Duration, site *web.Site, log *slog.Logger) error {
	server := &http.Server{
		Handler:           site.Handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		IdleTimeout:       time.Minute,
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	log.Info("serving", "address", listener.Addr().String(), "commit", commit)
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	log.Info("stopping: no longer ready, finishing requests")
	site.Drain()
	// A proxy that asks for readiness learns of it before a connection is refused.
	select {
	case err := <-ended:
		return err
	case <-time.After(linger):
	}
	last, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	err := server.Shutdown(last)
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("requests were still running after %s", drain)
	}
	return err
}
