package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"konbit/internal/app"
	"konbit/internal/web"
)

var serveNeeds = []need{needDatabase, needBase, needSecret, needSMTP, needHooks, needOwn}

func serveCommand() *cobra.Command {
	c := &cobra.Command{Use: "serve", Short: "Serve the pages and run the background work", Args: cobra.NoArgs}
	workers := c.Flags().Bool("workers", true, "run the background work too; --workers=false serves pages only")
	c.RunE = func(c *cobra.Command, _ []string) error {
		config, err := loadConfig(serveNeeds...)
		if err != nil {
			return err
		}
		return serve(c.Context(), config, *workers)
	}
	return c
}

func workCommand() *cobra.Command {
	return &cobra.Command{Use: "work", Short: "Run the background work, without pages", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			config, err := loadConfig(serveNeeds...)
			if err != nil {
				return err
			}
			a, log, err := open(c.Context(), config)
			if err != nil {
				return err
			}
			stopMetrics, err := a.Metrics.Serve(config.MetricsAddr, log)
			if err != nil {
				return errors.Join(err, a.Close())
			}
			log.Info("working")
			return errors.Join(a.Work(c.Context()), stopMetrics(), a.Close())
		}}
}

// open builds the program and its log. It logs the warnings of the settings.
func open(ctx context.Context, config Config) (*app.App, *slog.Logger, error) {
	log := config.logger()
	for _, warning := range config.warnings() {
		log.WarnContext(ctx, "check the settings", "fix", warning)
	}
	a, err := app.Open(ctx, config.Settings, log)
	return a, log, err
}

const (
	drainDelay      = time.Second      // in which a load balancer sees that the server is not ready
	shutdownTimeout = 15 * time.Second // how long requests under way may take after that
)

// serve answers requests until ctx ends. Then it
//
//  1. reports for drainDelay that it is not ready,
//  2. takes no new request and finishes those under way,
//  3. lets the workers finish their jobs, and returns.
func serve(ctx context.Context, config Config, workers bool) error {
	a, log, err := open(ctx, config)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", config.ListenAddr)
	if err != nil {
		return errors.Join(fmt.Errorf("LISTEN_ADDR: %w", err), a.Close())
	}
	stopMetrics, err := a.Metrics.Serve(config.MetricsAddr, log)
	if err != nil {
		return errors.Join(err, listener.Close(), a.Close())
	}
	// Workers continue while the last requests are answered. If they cannot work, the server stops with their error.
	background, stopWorkers := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWorkers()
	ctx, stopServing := context.WithCancel(ctx)
	defer stopServing()
	worked := make(chan error, 1)
	if workers {
		go func() { worked <- a.Work(background); stopServing() }()
	} else {
		worked <- nil
	}
	server := web.HTTP(closeWhenStopping(a, a.Server.Handler()), log)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	if err := config.CheckProxies(); err != nil {
		log.Warn("limits may count different donors as one", "fix", err)
	}
	log.Info("serving", "address", listener.Addr().String(), "workers", workers)

	select {
	case err = <-served:
	case <-ctx.Done():
		log.Info("stopping")
		a.BeginStop()
		time.Sleep(drainDelay)
		limited, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
		defer cancel()
		err = server.Shutdown(limited)
	}
	stopWorkers()
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return errors.Join(err, <-worked, stopMetrics(), a.Close())
}

// closeWhenStopping closes each connection of a stopping server after its answer, so that no client sends a request
// on a connection just as the server closes it.
func closeWhenStopping(a *app.App, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.Stopping() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}
