// Package queue holds documents that wait to be indexed, in a stream of Redis.
//
// A document is taken by one worker and stays with it until it says that it is done. What a worker
// had when it was killed is taken again: by the next one once it has waited for a while.
package queue

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
)

const (
	stream = "documents"
	group  = "indexers"

	// Most documents that wait; more are refused, for memory is what they wait in.
	Most = 10_000

	waiting   = time.Second
	abandoned = 30 * time.Second
)

// ErrFull says that more documents wait than are worked off.
var ErrFull = errors.New("too many documents wait already")

// Job is a document that waits.
type Job struct {
	ID, Text string
	// Origin continues the trace of the request that brought it.
	Origin context.Context

	entry string
}

// Queue is the stream.
type Queue struct {
	client *redis.Client
	// Of this worker among those of the group.
	name string
	// How far the documents that this worker had before a restart were taken again.
	own string
}

// New returns the queue at an address.
func New(address, password string) *Queue {
	// The host's name is that of the container: the same after a restart.
	name, err := os.Hostname()
	if err != nil {
		name = "worker"
	}
	// A context's deadline counts, so that who asks for health has an answer in time.
	client := redis.NewClient(&redis.Options{Addr: address, Password: password, ContextTimeoutEnabled: true})
	return &Queue{client: client, name: name, own: "0"}
}

// Prepare makes the group of workers, where there is none yet.
func (queue *Queue) Prepare(ctx context.Context) error {
	err := queue.client.XGroupCreateMkStream(ctx, stream, group, "0").Err()
	if err != nil && strings.HasPrefix(err.Error(), "BUSYGROUP") {
		return nil
	}
	return err
}

// Ping returns an error unless Redis answers.
func (queue *Queue) Ping(ctx context.Context) error {
	return queue.client.Ping(ctx).Err()
}

// Close ends the connections.
func (queue *Queue) Close() {
	_ = queue.client.Close()
}

// Length returns how many documents wait or are in a worker's hands.
func (queue *Queue) Length(ctx context.Context) (int64, error) {
	return queue.client.XLen(ctx, stream).Result()
}

// Put adds a document at the end, or returns ErrFull.
func (queue *Queue) Put(ctx context.Context, id, text string) error {
	length, err := queue.Length(ctx)
	if err != nil {
		return err
	}
	if length >= Most {
		return ErrFull
	}
	trace := propagation.MapCarrier{}
	otel.GetTextMapPropagator().Inject(ctx, trace)
	values := map[string]any{"id": id, "text": text}
	for name, value := range trace {
		values[name] = value
	}
	return queue.client.XAdd(ctx, &redis.XAddArgs{Stream: stream, Values: values}).Err()
}

// Take returns the next document, or nil if there is none for a second.
func (queue *Queue) Take(ctx context.Context) (*Job, error) {
	if queue.own != "" {
		// An own one that was not done comes before new ones.
		found, err := queue.read(ctx, queue.own, -1)
		if err != nil || found != nil {
			return found, err
		}
		queue.own = ""
	}
	claimed, _, err := queue.client.XAutoClaim(ctx, &redis.XAutoClaimArgs{
		Stream: stream, Group: group, Consumer: queue.name, MinIdle: abandoned, Start: "0", Count: 1,
	}).Result()
	if err != nil {
		return nil, err
	}
	if len(claimed) > 0 {
		return job(claimed[0]), nil
	}
	return queue.read(ctx, ">", waiting)
}

// Done says that a document need not be taken again.
func (queue *Queue) Done(ctx context.Context, done *Job) error {
	_, err := queue.client.TxPipelined(ctx, func(all redis.Pipeliner) error {
		all.XAck(ctx, stream, group, done.entry)
		all.XDel(ctx, stream, done.entry)
		return nil
	})
	return err
}

func (queue *Queue) read(ctx context.Context, from string, block time.Duration) (*Job, error) {
	found, err := queue.client.XReadGroup(ctx, &redis.XReadGroupArgs{
		Group: group, Consumer: queue.name, Streams: []string{stream, from}, Count: 1, Block: block,
	}).Result()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	if err != nil || len(found) == 0 || len(found[0].Messages) == 0 {
		return nil, err
	}
	return job(found[0].Messages[0]), nil
}

func job(message redis.XMessage) *Job {
	fields := propagation.MapCarrier{}
	for name, value := range message.Values {
		if text, isText := value.(string); isText {
			fields[name] = text
		}
	}
	origin := otel.GetTextMapPropagator().Extract(context.Background(), fields)
	return &Job{ID: fields["id"], Text: fields["text"], Origin: origin, entry: message.ID}
}
