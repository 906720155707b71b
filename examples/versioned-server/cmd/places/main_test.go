package main

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"example.com/places/internal/snapshots"
	"example.com/places/internal/store"
	"example.com/places/internal/web"
)

func running(t *testing.T, values map[string]string, words ...string) (int, string, string) {
	t.Helper()
	var out, problems strings.Builder
	code := run(words, func(name string) string { return values[name] }, &out, &problems)
	return code, out.String(), problems.String()
}

func TestVersionIsThatOfTheBuild(t *testing.T) {
	version, commit, date = "1.2.3", "abc1234", "2026-01-02T03:04:05Z"
	t.Cleanup(func() { version, commit, date = "dev", "unknown", "unknown" })
	_, text, _ := running(t, nil, "version")
	if text != "places 1.2.3 (commit abc1234, built 2026-01-02T03:04:05Z)\n" {
		t.Errorf("told %q", text)
	}
	_, text, _ = running(t, nil, "version", "--json")
	var told map[string]string
	if err := json.Unmarshal([]byte(text), &told); err != nil || told["commit"] != "abc1234" {
		t.Errorf("told %q: %v", text, err)
	}
}

func TestAnUnknownCommandIsAMistakeOfUsage(t *testing.T) {
	for _, words := range [][]string{nil, {"server"}} {
		if code, _, problems := running(t, nil, words...); code != 2 || !strings.Contains(problems, "usage") {
			t.Errorf("%v ended with %d: %s", words, code, problems)
		}
	}
}

func TestServeTellsEveryMissingSetting(t *testing.T) {
	code, _, problems := running(t, nil, "serve")
	if code != 1 {
		t.Errorf("ended with %d", code)
	}
	for _, name := range []string{"POSTGRES_PASSWORD", "JWT_SECRET"} {
		if !strings.Contains(problems, name) {
			t.Errorf("%s is not named in %s", name, problems)
		}
	}
}

func TestHealthcheckEndsAsTheServerSays(t *testing.T) {
	for status, expected := range map[int]int{http.StatusOK: 0, http.StatusServiceUnavailable: 1} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/readyz" {
				t.Errorf("asked for %s", r.URL.Path)
			}
			w.WriteHeader(status)
		}))
		_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
		code, _, _ := running(t, map[string]string{"PORT": port}, "healthcheck")
		server.Close()
		if code != expected {
			t.Errorf("%d made it end with %d", status, code)
		}
	}
}

// slow is a store whose search for a name goes on until it may end.
type slow struct {
	web.Places
	begun, end chan struct{}
}

func (slow) Ping(context.Context) error { return nil }

func (places slow) Named(context.Context, string, int) ([]store.Place, error) {
	close(places.begun)
	<-places.end
	return []store.Place{}, nil
}

// status asks over a new connection; where there is none, it is 0.
func status(address string) int {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get(address)
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	return answer.StatusCode
}

func TestOneThatStopsIsFirstNotReadyAndFinishesWhatItHasBegun(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "http://" + listener.Addr().String()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	places := slow{begun: make(chan struct{}), end: make(chan struct{})}
	site := web.New(about(), "", nil, places, snapshots.Folder(t.TempDir()), log)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended, found := make(chan error, 1), make(chan int, 1)
	go func() { ended <- answer(ctx, listener, 2*time.Second, site, log) }()
	go func() { found <- status(address + "/places?q=harbour") }()
	<-places.begun
	if code := status(address + "/readyz"); code != http.StatusOK {
		t.Fatalf("ready: %d", code)
	}
	stop()
	code := http.StatusOK
	for code == http.StatusOK {
		code = status(address + "/readyz")
	}
	if code != http.StatusServiceUnavailable {
		t.Errorf("while it stops: %d", code)
	}
	for status(address+"/livez") != 0 {
		time.Sleep(10 * time.Millisecond)
	}
	close(places.end)
	if code := <-found; code != http.StatusOK {
		t.Errorf("what was begun: %d", code)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
