package main

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/gomodule/redigo/redis"
)

const (
	dialTimeout = 2 * time.Second
	waitingSet  = "runs:waiting"
	keptMS      = int64(24 * time.Hour / time.Millisecond)
)

type redisStore struct{ pool *redis.Pool }

func newRedisStore(address, password string) redisStore {
	return redisStore{&redis.Pool{
		MaxIdle:     8,
		IdleTimeout: time.Minute,
		DialContext: func(ctx context.Context) (redis.Conn, error) {
			return redis.DialContext(
				ctx, "tcp", address,
				redis.DialPassword(password),
				redis.DialConnectTimeout(dialTimeout),
				redis.DialReadTimeout(dialTimeout),
				redis.DialWriteTimeout(dialTimeout),
			)
		},
	}}
}

func (s redisStore) do(ctx context.Context, command string, words ...any) (answer any, err error) {
	connection, err := s.pool.GetContext(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, connection.Close()) }()
	return redis.DoContext(connection, ctx, command, words...)
}

func (s redisStore) Ping(ctx context.Context) error {
	_, err := s.do(ctx, "PING")
	return err
}

func (s redisStore) Add(ctx context.Context, run Run) error {
	if err := s.put(ctx, run); err != nil {
		return err
	}
	_, err := s.do(ctx, "SADD", waitingSet, run.ID)
	return err
}

func (s redisStore) put(ctx context.Context, run Run) error {
	text, err := json.Marshal(run)
	if err != nil {
		return err
	}
	_, err = s.do(ctx, "SET", "run:"+run.ID, text, "PX", keptMS)
	return err
}

func (s redisStore) Get(ctx context.Context, id string) (Run, bool, error) {
	text, err := redis.Bytes(s.do(ctx, "GET", "run:"+id))
	if errors.Is(err, redis.ErrNil) {
		return Run{}, false, nil
	}
	if err != nil {
		return Run{}, false, err
	}
	var run Run
	err = json.Unmarshal(text, &run)
	return run, err == nil, err
}

func (s redisStore) Waiting(ctx context.Context) ([]string, error) {
	return redis.Strings(s.do(ctx, "SMEMBERS", waitingSet))
}

func (s redisStore) Assign(ctx context.Context, run Run, assignee, at string) (Run, error) {
	// Who is written here first has it. An engine that ends before the run is written as assigned
	// leaves it in the set, and the next one brings the same to its end.
	claim := "assignee:" + run.ID
	if _, err := s.do(ctx, "SET", claim, assignee, "NX", "PX", keptMS); err != nil {
		return run, err
	}
	winner, err := redis.String(s.do(ctx, "GET", claim))
	if err != nil {
		return run, err
	}
	run.State, run.Assignee, run.AssignedAt = assigned, winner, at
	if err := s.put(ctx, run); err != nil {
		return run, err
	}
	_, err = s.do(ctx, "SREM", waitingSet, run.ID)
	return run, err
}
