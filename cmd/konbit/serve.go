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

var serveNeeds = []need{needDatabase, needBase, needSecret, needSMTP}

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
			p.log.Info("working")
			return errors.Join(p.work(c.Context()), p.close())
		}}
}

// serve answers until ctx ends. Then it takes no new request, finishes those under way, lets the workers
// finish theirs, and returns.
func serve(ctx context.Context, config Config, workers bool) error {
	p, err := assemble(ctx, config)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", config.ListenAddr)
	if err != nil {
		return errors.Join(fmt.Errorf("LISTEN_ADDR: %w", err), p.close())
	}
	background, stopWorkers := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWorkers()
	worked := make(chan error, 1)
	if workers {
		go func() { worked <- p.work(background) }()
	} else {
		worked <- nil
	}
	server := web.HTTP(p.server().Handler(), p.log)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	p.log.Info("serving", "address", listener.Addr().String(), "workers", workers)

	select {
	case err = <-served:
	case <-ctx.Done():
		p.log.Info("stopping")
		p.stopping.Store(true)
		last, cancel := context.WithTimeout(context.Background(), 15*time.Second)
		defer cancel()
		err = server.Shutdown(last)
	}
	stopWorkers()
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return errors.Join(err, <-worked, p.close())
}
