// Documents keeps texts and finds those that are like another one.
//
// A text that is posted goes into a queue in Redis. A worker of the same process makes a vector of it,
// and keeps the text in PostgreSQL and the vector in Qdrant, where searches look.
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

	"example.com/documents/internal/indexing"
	"example.com/documents/internal/qdrant"
	"example.com/documents/internal/queue"
	"example.com/documents/internal/settings"
	"example.com/documents/internal/telemetry"
	"example.com/documents/internal/texts"
	"example.com/documents/internal/vector"
	"example.com/documents/internal/web"
)

// What a build says of itself by -ldflags "-X main.version=…".
var (
	version = "dev"
	commit  = "unknown"
	date    = "unknown"
)

const (
	usage = `usage: documents COMMAND

  serve         answer requests on $PORT, and work on the queue, until SIGTERM
  healthcheck   end with 0 if the server on $PORT is ready
  version       say which version this is; with --json for programs
`
	// Compose waits 10 s before it kills: requests in flight, the document in hand, the last spans.
	drainRequests = 5 * time.Second
	drainWorker   = 3 * time.Second
	flushing      = time.Second
	askingReady   = 2500 * time.Millisecond
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
	case "healthcheck":
		err = healthcheck(getenv)
	case "version", "--version":
		err = tell(out, words[1:])
	default:
		fmt.Fprint(problems, usage)
		return 2
	}
	if err != nil {
		fmt.Fprintf(problems, "documents %s: %v\n", words[0], err)
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
	_, err := fmt.Fprintf(out, "documents %s (commit %s, built %s)\n", version, commit, date)
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

func serve(getenv func(string) string, problems io.Writer) error {
	own, err := settings.Read(getenv)
	if err != nil {
		return err
	}
	syscall.Umask(own.Umask)
	log := slog.New(slog.NewJSONHandler(problems, &slog.HandlerOptions{Level: own.LogLevel}))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()

	watched := telemetry.Start(own.Collector, version, log)
	defer watched.Stop(flushing)
	kept, err := texts.Open(ctx, own.Database)
	if err != nil {
		return fmt.Errorf("the database at %s: %w", own.Database.Host, err)
	}
	defer kept.Close()
	index := qdrant.New(own.Qdrant, own.QdrantKey)
	if err = index.Prepare(ctx, vector.Size); err != nil {
		return fmt.Errorf("Qdrant at %s: %w", own.Qdrant, err)
	}
	waiting := queue.New(own.Redis, own.RedisPassword)
	defer waiting.Close()
	if err = waiting.Prepare(ctx); err != nil {
		return fmt.Errorf("Redis at %s: %w", own.Redis, err)
	}

	worker := indexing.New(waiting, kept, index, log)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		worker.Work(ctx)
	}()
	site := web.New(about(), waiting, kept, index, worker.Alive, own.Description, log)
	err = listen(ctx, own.Port, site, log)
	stop()
	select {
	case <-ended:
	case <-time.After(drainWorker):
		// It was not acknowledged, so the next process takes it.
		log.Warn("the document in hand is left for the next start")
	}
	return err
}

// listen answers until the context ends, then finishes what it has begun.
func listen(ctx context.Context, port int, site *web.Site, log *slog.Logger) error {
	server := &http.Server{
		Handler:           site.Handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		IdleTimeout:       time.Minute,
	}
	listener, err := net.Listen("tcp", ":"+strconv.Itoa(port))
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	log.Info("serving", "port", port, "version", version, "commit", commit)
	select {
	case err = <-ended:
		return err
	case <-ctx.Done():
	}
	log.Info("stopping: no longer ready, finishing requests")
	site.Drain()
	last, cancel := context.WithTimeout(context.Background(), drainRequests)
	defer cancel()
	if err = server.Shutdown(last); errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("requests were still running after %s", drainRequests)
	}
	log.Info("stopped")
	return err
}
