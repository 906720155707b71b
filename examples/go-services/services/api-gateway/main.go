// Command api-gateway is the one address of the platform: it hands each request on to its service.
package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"time"

	"chorus.example/shared/service"
)

const requestID = "X-Request-Id"

// upstreams returns the services behind this one, by name: their default addresses and paths.
func upstreams() map[string]string {
	return map[string]string{
		"presence-service":  service.Setting("PRESENCE_URL", "http://presence-service:8081"),
		"workflow-engine":   service.Setting("WORKFLOW_URL", "http://workflow-engine:8081"),
		"websocket-gateway": service.Setting("WEBSOCKET_URL", "http://websocket-gateway:8081"),
	}
}

// paths says who answers what; what only services of the platform may do is not among it.
var paths = map[string]string{
	"GET /presence":                 "presence-service",
	"GET /presence/{user}":          "presence-service",
	"POST /workflows/handover/runs": "workflow-engine",
	"GET /runs/{id}":                "workflow-engine",
	"GET /ws":                       "websocket-gateway",
}

func main() {
	service.Main("api-gateway", func() (service.Service, error) {
		gateway, err := newGateway(upstreams())
		if err != nil {
			return service.Service{}, err
		}
		return service.Service{Name: "api-gateway", Handler: gateway.routes(), Ready: gateway.ready}, nil
	})
}

type gateway struct {
	addresses map[string]*url.URL
}

func newGateway(upstreams map[string]string) (gateway, error) {
	addresses := map[string]*url.URL{}
	for name, text := range upstreams {
		address, err := url.Parse(text)
		if err != nil || address.Host == "" {
			return gateway{}, fmt.Errorf("%s is at no address: %q", name, text)
		}
		addresses[name] = address
	}
	return gateway{addresses}, nil
}

func (g gateway) ready(ctx context.Context) error {
	for _, name := range slices.Sorted(maps.Keys(g.addresses)) {
		if err := service.Call(ctx, http.MethodGet, g.addresses[name].String()+"/readyz", nil, nil); err != nil {
			return err
		}
	}
	return nil
}

func (g gateway) routes() http.Handler {
	mux := http.NewServeMux()
	for pattern, name := range paths {
		mux.Handle(pattern, g.proxy(name))
	}
	mux.HandleFunc("GET /status", g.status)
	return logged(mux)
}

func (g gateway) proxy(name string) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(request *httputil.ProxyRequest) {
			request.SetURL(g.addresses[name])
			request.SetXForwarded()
			// What a browser says of its origin is held against the address that it asked.
			request.Out.Host = request.In.Host
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			slog.Warn("no answer", "upstream", name, "error", err)
			service.Problem(w, http.StatusBadGateway, fmt.Errorf("%s does not answer", name))
		},
	}
}

// status tells what runs: each service with its version.
func (g gateway) status(w http.ResponseWriter, r *http.Request) {
	told := map[string]any{}
	for name, address := range g.addresses {
		var version map[string]string
		if err := service.Call(r.Context(), http.MethodGet, address.String()+"/version", nil, &version); err != nil {
			told[name] = map[string]string{"error": err.Error()}
			continue
		}
		told[name] = version
	}
	service.JSON(w, http.StatusOK, map[string]any{"services": told})
}

// logged gives each request an identity, which its upstream gets too, and a line in the log.
func logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(requestID) == "" {
			r.Header.Set(requestID, rand.Text())
		}
		w.Header().Set(requestID, r.Header.Get(requestID))
		begun := time.Now()
		next.ServeHTTP(w, r)
		slog.Info("answered", "method", r.Method, "path", r.URL.Path, "took", time.Since(begun).String(),
			"request", r.Header.Get(requestID))
	})
}
