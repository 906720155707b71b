// Package telemetry sends traces and metrics to an OpenTelemetry collector, as soon as there is one.
package telemetry

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/url"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
)

const (
	asking       = 2 * time.Second
	askingAgain  = 10 * time.Second
	metricsEvery = 5 * time.Second
	tracesEvery  = time.Second
	tellingEvery = time.Minute
)

// Telemetry is what has to be flushed at the end.
type Telemetry struct {
	cancel context.CancelFunc
	ended  chan struct{}
	mutex  sync.Mutex
	stops  []func(context.Context) error
}

// Start looks for the collector at an address, such as http://collector:4318, without making anybody
// wait for it: in a stack without one, its name means nothing. An empty address means none at all.
func Start(address, version string, log *slog.Logger) *Telemetry {
	ctx, cancel := context.WithCancel(context.Background())
	made := &Telemetry{cancel: cancel, ended: make(chan struct{})}
	otel.SetTextMapPropagator(propagation.TraceContext{})
	otel.SetErrorHandler(sparingly(log))
	go func() {
		defer close(made.ended)
		if address == "" || !found(ctx, address) {
			return
		}
		if err := made.send(ctx, address, version); err != nil {
			log.Error("no traces and metrics", "error", err.Error())
			return
		}
		log.Info("sending traces and metrics", "to", address)
	}()
	return made
}

// Stop sends what is left, in no more than this time.
func (made *Telemetry) Stop(within time.Duration) {
	made.cancel()
	<-made.ended
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	made.mutex.Lock()
	defer made.mutex.Unlock()
	for _, stop := range made.stops {
		// Nobody is left who could do something about it.
		_ = stop(ctx)
	}
}

func (made *Telemetry) send(ctx context.Context, address, version string) error {
	told := resource.NewSchemaless(
		attribute.String("service.name", "documents"), attribute.String("service.version", version),
	)
	spans, wrongTraces := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(address+"/v1/traces"))
	figures, wrongMetrics := otlpmetrichttp.New(ctx, otlpmetrichttp.WithEndpointURL(address+"/v1/metrics"))
	if err := errors.Join(wrongTraces, wrongMetrics); err != nil {
		return err
	}
	traces := trace.NewTracerProvider(
		trace.WithResource(told), trace.WithBatcher(spans, trace.WithBatchTimeout(tracesEvery)),
	)
	metrics := metric.NewMeterProvider(
		metric.WithResource(told),
		metric.WithReader(metric.NewPeriodicReader(figures, metric.WithInterval(metricsEvery))),
	)
	made.mutex.Lock()
	made.stops = append(made.stops, traces.Shutdown, metrics.Shutdown)
	made.mutex.Unlock()
	otel.SetTracerProvider(traces)
	otel.SetMeterProvider(metrics)
	return nil
}

// found waits until a host has an address; false if the context ends first.
func found(ctx context.Context, address string) bool {
	where, err := url.Parse(address)
	if err != nil {
		return false
	}
	for {
		once, cancel := context.WithTimeout(ctx, asking)
		_, err = net.DefaultResolver.LookupHost(once, where.Hostname())
		cancel()
		if err == nil {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(askingAgain):
		}
	}
}

// sparingly tells of errors at most once a minute: a collector that is away is away at every turn.
func sparingly(log *slog.Logger) otel.ErrorHandlerFunc {
	var mutex sync.Mutex
	var last time.Time
	return func(err error) {
		mutex.Lock()
		defer mutex.Unlock()
		if time.Since(last) >= tellingEvery {
			last = time.Now()
			log.Warn("traces or metrics are not sent", "error", err.Error())
		}
	}
}
