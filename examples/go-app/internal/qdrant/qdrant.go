// Package qdrant keeps and finds vectors by Qdrant's HTTP API.
package qdrant

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
)

const (
	collection    = "/collections/documents"
	answering     = 5 * time.Second
	longestAnswer = 1 << 20
)

// Hit is a document that is like what was asked for.
type Hit struct {
	ID    string  `json:"id"`
	Score float64 `json:"score"`
}

// Index is the collection of vectors.
type Index struct {
	address, key string
	client       http.Client
}

// New returns the index at an address.
func New(address, key string) *Index {
	transport := otelhttp.NewTransport(http.DefaultTransport)
	return &Index{strings.TrimRight(address, "/"), key, http.Client{Timeout: answering, Transport: transport}}
}

// Prepare makes the collection, where there is none yet.
func (index *Index) Prepare(ctx context.Context, size int) error {
	body := map[string]any{"vectors": map[string]any{"size": size, "distance": "Cosine"}}
	return index.call(ctx, http.MethodPut, collection, body, nil, http.StatusConflict)
}

// Ping returns an error unless the collection is there and the key is good.
func (index *Index) Ping(ctx context.Context) error {
	return index.call(ctx, http.MethodGet, collection, nil, nil)
}

// Keep stores the vector of a document; the same one twice is one.
func (index *Index) Keep(ctx context.Context, id string, vector []float32) error {
	point := map[string]any{"id": id, "vector": vector}
	return index.call(ctx, http.MethodPut, collection+"/points?wait=true", map[string]any{"points": []any{point}}, nil)
}

// Near returns the documents whose vectors are nearest, the most alike one first.
func (index *Index) Near(ctx context.Context, vector []float32, most int) ([]Hit, error) {
	var found struct {
		Result struct {
			Points []Hit `json:"points"`
		} `json:"result"`
	}
	body := map[string]any{"query": vector, "limit": most}
	err := index.call(ctx, http.MethodPost, collection+"/points/query", body, &found)
	return found.Result.Points, err
}

// call speaks to Qdrant, and reads the answer into what is wanted of it.
func (index *Index) call(ctx context.Context, method, path string, body, wanted any, alsoGood ...int) error {
	var sent io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		sent = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, index.address+path, sent)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("api-key", index.key)
	answer, err := index.client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	told, err := io.ReadAll(io.LimitReader(answer.Body, longestAnswer))
	if err != nil {
		return err
	}
	for _, status := range alsoGood {
		if answer.StatusCode == status {
			return nil
		}
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s: %.200s", method, path, answer.Status, told)
	}
	if wanted == nil {
		return nil
	}
	return json.Unmarshal(told, wanted)
}
