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

// listen listens on an address of the demo. An error names the setting that changes the address.
func listen(addr, setting string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is in use, perhaps by another demo; stop the program that listens there, or use "+
			"another port: %s=127.0.0.1:PORT make demo", addr, setting)
	}
	if err != nil {
		return nil, fmt.Errorf("%s=%s: %w", setting, addr, err)
	}
	return l, nil
}

// reserve checks that another process can listen on addr. It returns addr with a free port if addr has port 0.
func reserve(addr, setting string) (string, error) {
	l, err := listen(addr, setting)
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// webAddress returns the URL at which a browser on this machine finds what listens on addr. For an unspecified host
// such as 0.0.0.0 it is localhost.
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

// pageAddress is webAddress for pages on which people sign in. A browser accepts no passkey for an IP address, so on this
// machine it is localhost.
func pageAddress(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsLoopback() {
		return "http://" + net.JoinHostPort("localhost", port)
	}
	return webAddress(addr)
}

// serve serves h on l until stop is called.
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

// waitUntilReady requests address until the answer is 200, for at most 30 seconds. It stops when ended is closed.
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
