package indexing

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"testing"

	"example.com/documents/internal/queue"
	"example.com/documents/internal/vector"
)

// stores are all three in memory. A store that is away fails as often as it says.
type stores struct {
	jobs      []*queue.Job
	away      int
	events    []string
	end       context.CancelFunc
	endBefore bool
}

func (all *stores) Take(context.Context) (*queue.Job, error) {
	if len(all.jobs) == 0 {
		all.end()
		return nil, nil
	}
	next := all.jobs[0]
	all.jobs = all.jobs[1:]
	if all.endBefore {
		all.end()
	}
	return next, nil
}

func (all *stores) Done(_ context.Context, job *queue.Job) error {
	all.events = append(all.events, "done "+job.ID)
	return nil
}

func (all *stores) Length(context.Context) (int64, error) { return int64(len(all.jobs)), nil }

func (all *stores) Keep(ctx context.Context, id, _ string) error {
	if all.away > 0 {
		all.away--
		return errors.New("away")
	}
	all.events = append(all.events, "text "+id)
	return ctx.Err()
}

type index struct{ *stores }

func (all index) Keep(_ context.Context, id string, made []float32) error {
	if len(made) != vector.Size {
		return errors.New("no vector")
	}
	all.events = append(all.events, "vector "+id)
	return nil
}

func working(t *testing.T, all *stores) *Worker {
	t.Helper()
	ctx, end := context.WithCancel(t.Context())
	defer end()
	all.end = end
	worker := New(all, all, index{all}, slog.New(slog.NewTextHandler(io.Discard, nil)))
	worker.Work(ctx)
	return worker
}

func waiting(ids ...string) []*queue.Job {
	var jobs []*queue.Job
	for _, id := range ids {
		jobs = append(jobs, &queue.Job{ID: id, Text: "text", Origin: context.Background()})
	}
	return jobs
}

func TestTextThenVectorThenDone(t *testing.T) {
	all := &stores{jobs: waiting("a", "b")}
	if worker := working(t, all); !worker.Alive() {
		t.Error("it has worked, and is not alive")
	}
	if !slices.Equal(all.events, []string{"text a", "vector a", "done a", "text b", "vector b", "done b"}) {
		t.Error(all.events)
	}
}

func TestWhatDidNotWorkIsTriedAgain(t *testing.T) {
	all := &stores{jobs: waiting("a"), away: 2}
	working(t, all)
	if !slices.Equal(all.events, []string{"text a", "vector a", "done a"}) {
		t.Error(all.events)
	}
}

func TestTheDocumentInHandIsFinishedAndNoOtherBegun(t *testing.T) {
	all := &stores{jobs: waiting("a", "b"), endBefore: true}
	working(t, all)
	if !slices.Equal(all.events, []string{"text a", "vector a", "done a"}) {
		t.Error(all.events)
	}
}

func TestAnEndIsNotHeldUpByAStoreThatIsAway(t *testing.T) {
	all := &stores{jobs: waiting("a"), away: 1000, endBefore: true}
	working(t, all)
	if len(all.events) != 0 || all.away != 999 {
		t.Error(all.events, all.away)
	}
}
