package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"time"
)

// listen opens a door of the demo; setting names what moves it.
func listen(addr, setting string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is taken, perhaps by another demo; stop what listens there, or move this door: %s=127.0.0.1:PORT make demo", addr, setting)
	}
	if err != nil {
		return nil, fmt.Errorf("%s=%s: %w", setting, addr, err)
	}
	return l, nil
}

// reserve finds out whether another process will be able to listen on addr, and which port it is where addr leaves that open.
func reserve(addr, setting string) (string, error) {
	l, err := listen(addr, setting)
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// webAddress is where a browser on this machine finds what listens at addr, which is everywhere at once for 0.0.0.0.
func webAddress(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "http://" + addr
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// serve answers on l until the returned function is called.
func serve(l net.Listener, h http.Handler) (stop func()) {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = srv.Serve(l) }() // ends with ErrServerClosed
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if srv.Shutdown(ctx) != nil {
			_ = srv.Close()
		}
	}
}

// waitUntilReady asks address until it answers 200. ended is closed when waiting is useless.
func waitUntilReady(ctx context.Context, address string, ended <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	last := errors.New("no answer yet")
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
			last = fmt.Errorf("it answers %s", resp.Status)
		}
		select {
		case <-ended:
			return errors.New("the server ended while starting")
		case <-ctx.Done():
			return fmt.Errorf("%s: %w (%w)", address, ctx.Err(), last)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
