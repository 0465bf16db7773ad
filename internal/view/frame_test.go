package view_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/phrase"
	"konbit/internal/view"
)

func TestSwitch(t *testing.T) {
	u, err := url.Parse("/give/csio?fund=gln&lang=en")
	require.NoError(t, err)
	assert.Equal(t, []view.LanguageLink{
		{Language: "en", URL: "/give/csio?fund=gln&lang=en", Current: true},
		{Language: "es", URL: "/give/csio?fund=gln&lang=es"},
	}, view.Switch(u, "en", []phrase.Language{"en", "es"}))
	assert.Empty(t, view.Switch(u, "en", []phrase.Language{"en"}))
}
