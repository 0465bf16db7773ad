package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestProgress: the bar grows and is removed at its end. Without a terminal nothing is shown.
func TestProgress(t *testing.T) {
	var shown, silent bytes.Buffer
	b := progress{name: "tsne", all: 400, began: time.Now().Add(-time.Minute), to: &shown, shown: true}
	b.add(100)
	require.Contains(t, shown.String(), "tsne       ██████████······························ 100 of 400, 3m0s to go")
	b.add(300)
	require.Contains(t, shown.String(), "████████████████████████████████████████ 400 of 400, 0s to go")
	b.end()
	require.Equal(t, "\r\x1b[K", shown.String()[shown.Len()-4:])
	unseen := progress{all: 400, to: &silent}
	unseen.add(400)
	unseen.end()
	require.Empty(t, silent.String())
}
