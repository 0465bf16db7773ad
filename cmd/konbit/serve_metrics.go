package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"

	"konbit/internal/platform/metrics"
)

// serveMetrics serves metrics and profiles at address until stop is called. An empty address serves nothing.
func serveMetrics(m *metrics.Metrics, address string, log *slog.Logger) (stop func() error, err error) {
	if address == "" {
		return func() error { return nil }, nil
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("METRICS_ADDR: %w", err)
	}
	server := m.HTTP(log)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	log.Info("serving metrics", "address", listener.Addr().String())
	return func() error {
		err := server.Close() // an interrupted scrape does no harm
		if end := <-served; !errors.Is(end, http.ErrServerClosed) {
			err = errors.Join(err, end)
		}
		return err
	}, nil
}
