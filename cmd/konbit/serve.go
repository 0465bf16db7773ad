package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"konbit/internal/web"
)

var serveNeeds = []need{needDatabase, needBase, needSecret, needSMTP, needHooks, needOwn}

func serveCommand() *cobra.Command {
	c := &cobra.Command{Use: "serve", Short: "Serve the pages and work in the background", Args: cobra.NoArgs}
	workers := c.Flags().Bool("workers", true, "work in the background too; --workers=false serves pages alone")
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
	return &cobra.Command{Use: "work", Short: "Work in the background, without pages", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			config, err := loadConfig(serveNeeds...)
			if err != nil {
				return err
			}
			p, err := assemble(c.Context(), config)
			if err != nil {
				return err
			}
			stopMetrics, err := p.serveMetrics()
			if err != nil {
				return errors.Join(err, p.close())
			}
			p.log.Info("working")
			return errors.Join(p.work(c.Context()), stopMetrics(), p.close())
		}}
}

const (
	farewell  = time.Second      // how long a stopping server still answers, so that whoever spreads requests sees it is not ready
	lastWords = 15 * time.Second // how long requests under way may take then
)

// serve answers until ctx ends. Then it says for a moment that it is not ready, takes no new request, finishes those under way,
// lets the workers finish theirs, and returns.
func serve(ctx context.Context, config Config, workers bool) error {
	p, err := assemble(ctx, config)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", config.ListenAddr)
	if err != nil {
		return errors.Join(fmt.Errorf("LISTEN_ADDR: %w", err), p.close())
	}
	stopMetrics, err := p.serveMetrics()
	if err != nil {
		return errors.Join(err, listener.Close(), p.close())
	}
	// Workers go on while the last requests are answered. Should they be unable to work, the server ends as if asked to, with their error.
	background, stopWorkers := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWorkers()
	ctx, giveUp := context.WithCancel(ctx)
	defer giveUp()
	worked := make(chan error, 1)
	if workers {
		go func() { worked <- p.work(background); giveUp() }()
	} else {
		worked <- nil
	}
	server := web.HTTP(p.parting(p.server().Handler()), p.log)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	if err := config.checkProxies(); err != nil {
		p.log.Warn("donors may be taken for one another", "mend", err)
	}
	p.log.Info("serving", "address", listener.Addr().String(), "workers", workers)

	select {
	case err = <-served:
	case <-ctx.Done():
		p.log.Info("stopping")
		p.stopping.Store(true)
		time.Sleep(farewell)
		last, cancel := context.WithTimeout(context.Background(), lastWords)
		defer cancel()
		err = server.Shutdown(last)
	}
	stopWorkers()
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return errors.Join(err, <-worked, stopMetrics(), p.close())
}

// parting closes each connection of a stopping server after its answer, so that no client sends a request on one just as the
// server closes it.
func (p *parts) parting(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p.stopping.Load() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}
