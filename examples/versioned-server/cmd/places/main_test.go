package main

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
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
