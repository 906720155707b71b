// Package indexing works on the queue.
package indexing

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"example.com/documents/internal/queue"
	"example.com/documents/internal/vector"
)

const (
	scope = "example.com/documents/internal/indexing"

	// One document takes milliseconds; a store that hangs is asked again.
	longest = 10 * time.Second
	// Between two tries of what did not work.
	firstPause, longestPause = 100 * time.Millisecond, 5 * time.Second
	// No turn for this long means that the worker hangs.
	stuck = time.Minute
)

// Queue is what the worker takes from.
type Queue interface {
	Take(context.Context) (*queue.Job, error)
	Done(context.Context, *queue.Job) error
	Length(context.Context) (int64, error)
}

// Texts is where texts are kept.
type Texts interface {
	Keep(ctx context.Context, id, text string) error
}

// Index is where vectors are kept.
type Index interface {
	Keep(ctx context.Context, id string, vector []float32) error
}

// Worker indexes one document after another.
type Worker struct {
	queue    Queue
	texts    Texts
	index    Index
	log      *slog.Logger
	tracer   trace.Tracer
	indexed  metric.Int64Counter
	failed   metric.Int64Counter
	duration metric.Float64Histogram
	turned   atomic.Int64
}

// New returns a worker that does not work yet.
func New(queue Queue, texts Texts, index Index, log *slog.Logger) *Worker {
	worker := &Worker{queue: queue, texts: texts, index: index, log: log, tracer: otel.Tracer(scope)}
	meter := otel.Meter(scope)
	// Errors are those of names, which are good: the instruments count either way.
	worker.indexed, _ = meter.Int64Counter("documents.indexed", metric.WithDescription("documents that were indexed"))
	worker.failed, _ = meter.Int64Counter("documents.failed", metric.WithDescription("tries that did not work"))
	worker.duration, _ = meter.Float64Histogram(
		"documents.indexing.duration", metric.WithUnit("s"), metric.WithDescription("time that a document took"),
	)
	_, _ = meter.Int64ObservableGauge(
		"documents.waiting", metric.WithDescription("documents that wait in the queue"),
		metric.WithInt64Callback(func(ctx context.Context, observed metric.Int64Observer) error {
			length, err := worker.queue.Length(ctx)
			if err == nil {
				observed.Observe(length)
			}
			return err
		}),
	)
	worker.turn()
	return worker
}

// Alive says whether the worker has taken a turn lately.
func (worker *Worker) Alive() bool {
	return time.Since(time.UnixMilli(worker.turned.Load())) < stuck
}

// Work takes documents until the context ends; the one in hand is finished.
func (worker *Worker) Work(ctx context.Context) {
	pause := firstPause
	for ctx.Err() == nil {
		worker.turn()
		job, err := worker.queue.Take(ctx)
		switch {
		case ctx.Err() != nil && job == nil:
			return
		case err != nil:
			worker.log.Warn("the queue does not answer", "error", err.Error())
			pause = rest(ctx, pause)
		case job != nil:
			worker.finish(ctx, job)
			pause = firstPause
		default:
			pause = firstPause
		}
	}
}

// finish tries until the document is indexed, or until the context ends and it does not work.
func (worker *Worker) finish(ctx context.Context, job *queue.Job) {
	for pause := firstPause; ; pause = rest(ctx, pause) {
		worker.turn()
		err := worker.do(job)
		if err == nil {
			return
		}
		worker.log.Warn("a document is not indexed yet", "id", job.ID, "error", err.Error())
		if ctx.Err() != nil {
			return
		}
	}
}

func (worker *Worker) do(job *queue.Job) error {
	ctx, cancel := context.WithTimeout(job.Origin, longest)
	defer cancel()
	started := time.Now()
	ctx, span := worker.tracer.Start(
		ctx, "index document", trace.WithSpanKind(trace.SpanKindConsumer),
		trace.WithAttributes(attribute.String("document.id", job.ID), attribute.Int("document.bytes", len(job.Text))),
	)
	defer span.End()
	if err := worker.keep(ctx, job); err != nil {
		worker.failed.Add(ctx, 1)
		span.RecordError(err)
		span.SetStatus(codes.Error, "not indexed yet")
		return err
	}
	worker.indexed.Add(ctx, 1)
	worker.duration.Record(ctx, time.Since(started).Seconds())
	return nil
}

// keep stores the text before its vector: what a search finds, it can show.
func (worker *Worker) keep(ctx context.Context, job *queue.Job) error {
	if err := worker.traced(ctx, "keep text", func(ctx context.Context) error {
		return worker.texts.Keep(ctx, job.ID, job.Text)
	}); err != nil {
		return err
	}
	if err := worker.index.Keep(ctx, job.ID, vector.Of(job.Text)); err != nil {
		return err
	}
	return worker.queue.Done(ctx, job)
}

func (worker *Worker) traced(ctx context.Context, what string, do func(context.Context) error) error {
	ctx, span := worker.tracer.Start(ctx, what, trace.WithSpanKind(trace.SpanKindClient))
	defer span.End()
	return do(ctx)
}

func (worker *Worker) turn() {
	worker.turned.Store(time.Now().UnixMilli())
}

// rest waits, but not longer than the context, and returns how long to wait the next time.
func rest(ctx context.Context, pause time.Duration) time.Duration {
	select {
	case <-ctx.Done():
	case <-time.After(pause):
	}
	return min(2*pause, longestPause)
}
