// Command demo runs all of Konbit on one machine without any configuration: a private PostgreSQL, the stand-in for
// Stripe with its payment page, a mail catcher with an inbox, the organisations of demo.yaml, and the real server as
// its own process.
//
//	demo         run until Ctrl-C; data is kept in DEMO_DIR
//	demo reset   delete that data
//
// DEMO_ADDR, DEMO_CARD_ADDR and DEMO_MAIL_ADDR set its three addresses. DEMO_HISTORY=off leaves out the two months of
// gifts that a new demo makes in the background. DEMO_DIR/env contains the settings of the
// running server in a form that a shell reads. The demo is for trying and for tests: keys are test keys, emails are
// not sent, and access is not restricted.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

// config is where the demo stores its data and listens.
type config struct {
	dir                      string // absolute
	addr, cardAddr, mailAddr string // host:port
	history                  bool   // make two months of history
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	c, err := configure(os.Getenv)
	switch {
	case err != nil:
	case len(os.Args) == 1:
		err = run(ctx, c, os.Stdout)
	case len(os.Args) == 2 && os.Args[1] == "reset":
		err = reset(ctx, c, os.Stdout)
	default:
		fmt.Fprintln(os.Stderr, "usage: demo [reset]")
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func configure(getenv func(string) string) (config, error) {
	or := func(name, standard string) string {
		if v := getenv(name); v != "" {
			return v
		}
		return standard
	}
	history := or("DEMO_HISTORY", "on")
	if history != "on" && history != "off" {
		return config{}, fmt.Errorf("DEMO_HISTORY=%s: it is on or off", history)
	}
	dir, err := filepath.Abs(or("DEMO_DIR", ".demo"))
	return config{
		dir:      dir,
		addr:     or("DEMO_ADDR", "127.0.0.1:8080"),
		cardAddr: or("DEMO_CARD_ADDR", "127.0.0.1:8081"),
		mailAddr: or("DEMO_MAIL_ADDR", "127.0.0.1:8082"),
		history:  history == "on",
	}, err
}
