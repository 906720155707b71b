package main

import (
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
	if _, told, _ := running(t, nil, "version"); told != "documents 1.2.3 (commit abc1234, built 2026-01-02T03:04:05Z)\n" {
		t.Error(told)
	}
	if _, told, _ := running(t, nil, "version", "--json"); !strings.Contains(told, `"version":"1.2.3"`) {
		t.Error(told)
	}
}

func TestWhatIsNoCommandIsUsage(t *testing.T) {
	for _, words := range [][]string{nil, {"start"}} {
		if code, _, problems := running(t, nil, words...); code != 2 || !strings.Contains(problems, "usage:") {
			t.Errorf("%v: %d %s", words, code, problems)
		}
	}
}

func TestAServerWithoutItsSecretsDoesNotStart(t *testing.T) {
	code, _, problems := running(t, nil, "serve")
	if code != 1 || !strings.Contains(problems, "POSTGRES_PASSWORD has no value") {
		t.Errorf("%d %s", code, problems)
	}
}

func TestHealthIsWhatTheServerSaysOfItself(t *testing.T) {
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte("Redis does not answer"))
	}))
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	values := map[string]string{"PORT": port}
	if code, _, problems := running(t, values, "healthcheck"); code != 0 {
		t.Error(problems)
	}
	status = http.StatusServiceUnavailable
	if code, _, problems := running(t, values, "healthcheck"); code != 1 || !strings.Contains(problems, "Redis") {
		t.Errorf("%d %s", code, problems)
	}
	server.Close()
	if code, _, _ := running(t, values, "healthcheck"); code != 1 {
		t.Error("a server that is away is healthy")
	}
}
