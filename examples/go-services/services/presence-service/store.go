package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/gomodule/redigo/redis"
)

const (
	prefix      = "presence:"
	dialTimeout = 2 * time.Second
	scanned     = 100
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

func (s redisStore) Put(ctx context.Context, presence Presence, ttl time.Duration) error {
	_, err := s.do(ctx, "SET", prefix+presence.User, presence.Status, "PX", ttl.Milliseconds())
	return err
}

func (s redisStore) Get(ctx context.Context, user string) (Presence, bool, error) {
	status, err := redis.String(s.do(ctx, "GET", prefix+user))
	if errors.Is(err, redis.ErrNil) {
		return Presence{}, false, nil
	}
	return Presence{User: user, Status: status}, err == nil, err
}

func (s redisStore) Remove(ctx context.Context, user string) error {
	_, err := s.do(ctx, "DEL", prefix+user)
	return err
}

func (s redisStore) All(ctx context.Context) ([]Presence, error) {
	found := map[string]struct{}{}
	for cursor := "0"; ; {
		page, err := redis.Values(s.do(ctx, "SCAN", cursor, "MATCH", prefix+"*", "COUNT", scanned))
		if err != nil {
			return nil, err
		}
		var keys []string
		if _, err := redis.Scan(page, &cursor, &keys); err != nil {
			return nil, err
		}
		// A key may come twice, and may be gone when it is asked for.
		for _, key := range keys {
			found[strings.TrimPrefix(key, prefix)] = struct{}{}
		}
		if cursor == "0" {
			break
		}
	}
	all := []Presence{}
	for user := range found {
		presence, there, err := s.Get(ctx, user)
		if err != nil {
			return nil, err
		}
		if there {
			all = append(all, presence)
		}
	}
	return all, nil
}
