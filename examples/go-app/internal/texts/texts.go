// Package texts keeps documents in PostgreSQL.
package texts

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"example.com/documents/internal/settings"
)

const (
	mostConnections = 8
	connecting      = 5 * time.Second
	// Any number, as long as no other program locks by it.
	schemaLock = 20_817
	schema     = `CREATE TABLE IF NOT EXISTS documents (
		id uuid PRIMARY KEY,
		text text NOT NULL,
		stored timestamptz NOT NULL DEFAULT now()
	)`
)

// ErrUnknown says that no document has the id.
var ErrUnknown = errors.New("no document has this id; one that was posted is there once it is indexed")

// Document is a text that is kept.
type Document struct {
	ID     string    `json:"id"`
	Text   string    `json:"text"`
	Stored time.Time `json:"stored"`
}

// Store is the database.
type Store struct {
	pool *pgxpool.Pool
}

// ID returns the id of a text: the same text is the same document, however often it comes.
func ID(text string) string {
	sum := sha256.Sum256([]byte(text))
	id := sum[:16]
	id[6] = id[6]&0x0f | 0x80 // version 8: made in a way of one's own (RFC 9562)
	id[8] = id[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

// Open returns the store once the database answers and has the schema.
func Open(ctx context.Context, where settings.Database) (*Store, error) {
	address := url.URL{
		Scheme: "postgres",
		User:   url.UserPassword(where.User, where.Password),
		Host:   net.JoinHostPort(where.Host, strconv.Itoa(where.Port)),
		Path:   where.Name,
	}
	config, err := pgxpool.ParseConfig(address.String())
	if err != nil {
		// Its text would hold the address, and the password in it.
		return nil, errors.New("the address of the database cannot be read")
	}
	config.MaxConns = mostConnections
	config.ConnConfig.ConnectTimeout = connecting
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	store := &Store{pool: pool}
	if err = store.prepare(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return store, nil
}

// prepare makes the table; of several servers that start together, one at a time.
func (store *Store) prepare(ctx context.Context) error {
	return pgx.BeginFunc(ctx, store.pool, func(change pgx.Tx) error {
		if _, err := change.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", schemaLock); err != nil {
			return err
		}
		_, err := change.Exec(ctx, schema)
		return err
	})
}

// Close ends the connections.
func (store *Store) Close() { store.pool.Close() }

// Ping returns an error unless the database answers.
func (store *Store) Ping(ctx context.Context) error { return store.pool.Ping(ctx) }

// Keep stores a document; one that is there already stays as it is.
func (store *Store) Keep(ctx context.Context, id, text string) error {
	_, err := store.pool.Exec(
		ctx, "INSERT INTO documents (id, text) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING", id, text,
	)
	return err
}

// Get returns a document, or ErrUnknown.
func (store *Store) Get(ctx context.Context, id string) (Document, error) {
	found, err := store.All(ctx, []string{id})
	if err == nil && len(found) == 0 {
		err = ErrUnknown
	}
	return found[id], err
}

// All returns those documents that are there, by id.
func (store *Store) All(ctx context.Context, ids []string) (map[string]Document, error) {
	rows, err := store.pool.Query(
		ctx, "SELECT id::text, text, stored FROM documents WHERE id = ANY($1::uuid[])", ids,
	)
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Document])
	all := make(map[string]Document, len(found))
	for _, document := range found {
		all[document.ID] = document
	}
	return all, err
}
