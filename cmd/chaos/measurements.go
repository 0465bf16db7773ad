package main

import (
	"slices"
	"sync"
)

// measurements are the values that a row measured: the last value of each name, in the order in which the names came
// first.
type measurements struct {
	mu     sync.Mutex
	names  []string
	values map[string]string
}

func (n *measurements) set(what, value string) {
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

func (n *measurements) lines() (all []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, name := range n.names {
		all = append(all, name+" "+n.values[name])
	}
	return all
}
