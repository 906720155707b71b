package telemetry

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
)

func TestSpansAndFiguresReachTheCollector(t *testing.T) {
	paths := make(chan string, 100)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		paths <- r.URL.Path
	}))
	defer server.Close()
	// Made before anybody knows of a collector, as the server's are.
	tracer := otel.Tracer("test")
	counter, err := otel.Meter("test").Int64Counter("tests")
	if err != nil {
		t.Fatal(err)
	}
	made := Start(server.URL, "1.2.3", slog.New(slog.NewTextHandler(io.Discard, nil)))
	select {
	case <-made.ended:
	case <-time.After(time.Minute):
		t.Fatal("the collector is not found")
	}
	ctx, span := tracer.Start(context.Background(), "a span")
	counter.Add(ctx, 1)
	span.End()
	made.Stop(time.Minute)
	close(paths)
	got := map[string]bool{}
	for path := range paths {
		got[path] = true
	}
	if !got["/v1/traces"] || !got["/v1/metrics"] {
		t.Error(got)
	}
}

func TestNobodyWaitsForACollectorThatIsNotThere(t *testing.T) {
	made := Start("http://nowhere.invalid:4318", "1.2.3", slog.New(slog.NewTextHandler(io.Discard, nil)))
	made.Stop(time.Minute)
	if len(made.stops) != 0 {
		t.Error("something is sent")
	}
}
