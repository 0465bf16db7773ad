package main

import (
	"slices"
	"sync"
)

// notes keeps what a row measured, in the order it was first told, the last value of each.
type notes struct {
	mu     sync.Mutex
	names  []string
	values map[string]string
}

func (n *notes) keep(what, value string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.values == nil {
		n.values = map[string]string{}
	}
	if !slices.Contains(n.names, what) {
		n.names = append(n.names, what)
	}
	n.values[what] = value
}

func (n *notes) lines() (all []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, name := range n.names {
		all = append(all, name+" "+n.values[name])
	}
	return all
}
