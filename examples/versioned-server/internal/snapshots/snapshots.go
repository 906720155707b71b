// Package snapshots writes the whole content to a folder that outlives the container.
package snapshots

import (
	"encoding/json"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const ending = ".jsonl"

// Folder is where snapshots are.
type Folder string

// Snapshot is one file of it.
type Snapshot struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
	Count int    `json:"places,omitempty"`
}

// Write makes a snapshot that is whole or not there: one line of JSON for each entry.
func (folder Folder) Write(now time.Time, entries iter.Seq2[any, error]) (Snapshot, error) {
	file, err := os.CreateTemp(string(folder), ".writing-*")
	if err != nil {
		return Snapshot{}, err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	made := Snapshot{Name: now.UTC().Format("20060102T150405.000000000Z") + ending}
	lines := json.NewEncoder(file)
	for entry, err := range entries {
		if err == nil {
			err = lines.Encode(entry)
		}
		if err != nil {
			return Snapshot{}, err
		}
		made.Count++
	}
	about, err := file.Stat()
	if err = errors.Join(err, file.Sync()); err != nil {
		return Snapshot{}, err
	}
	made.Bytes = about.Size()
	return made, os.Rename(file.Name(), filepath.Join(string(folder), made.Name))
}

// List returns the snapshots, the oldest first.
func (folder Folder) List() ([]Snapshot, error) {
	entries, err := os.ReadDir(string(folder))
	if err != nil {
		return nil, err
	}
	found := []Snapshot{}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), ".") || !strings.HasSuffix(entry.Name(), ending) {
			continue
		}
		about, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found = append(found, Snapshot{Name: entry.Name(), Bytes: about.Size()})
	}
	return found, nil
}
