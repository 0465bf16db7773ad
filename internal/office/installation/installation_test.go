package installation_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/office/installation"
	"konbit/internal/platform/keyring"
	"konbit/internal/workshop/testkit"
)

var first, second, third = []byte("the first key"), []byte("the second key"), []byte("the third key")

func base(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	require.NoError(t, err)
	return u
}

// TestTheFirstProcessRecords: what is missing is recorded once, by the server's role, and others compare with it.
func TestTheFirstProcessRecords(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	known, err := installation.RecordMissing(t.Context(), db.Server, keyring.Ring{}, nil)
	require.NoError(t, err)
	require.Equal(t, installation.Recorded{}, known)
	require.NoError(t, known.CheckKey(keyring.New(first)), "nothing is known yet")
	require.NoError(t, known.CheckAddress(base(t, "https://give.example.org")))

	known, err = installation.RecordMissing(t.Context(), db.Server, keyring.New(first, second), base(t, "https://Give.example.org/"))
	require.NoError(t, err)
	require.Equal(t, keyring.New(first).Fingerprints()[0].String(), known.Key)
	require.Equal(t, "https://give.example.org", known.Address)

	again, err := installation.RecordMissing(t.Context(), db.Server, keyring.New(second), base(t, "https://other.example.org"))
	require.NoError(t, err)
	require.Equal(t, known, again, "the second one changes nothing")
}

// TestOtherSettingsAreRefused lists which keys and addresses are those of the installation.
func TestOtherSettingsAreRefused(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	require.NoError(t, installation.SetKey(t.Context(), db.Owner, keyring.New(first)))
	require.NoError(t, installation.SetAddress(t.Context(), db.Owner, base(t, "https://give.example.org")))
	known, err := installation.Read(t.Context(), db.Server)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		keys  keyring.Ring
		known bool
	}{
		"the key":                        {keyring.New(first), true},
		"the key, and the coming one":    {keyring.New(first, second), true},
		"the coming key, and the key":    {keyring.New(second, first), true},
		"one of several old keys":        {keyring.New(third, second, first), true},
		"another key":                    {keyring.New(second), false},
		"another key, and another of it": {keyring.New(second, third), false},
		"no key":                         {keyring.Ring{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			err := known.CheckKey(c.keys)
			if c.known {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, installation.ErrKey)
			require.ErrorContains(t, err, known.Key)
			require.ErrorContains(t, err, "SECRET_KEY_OLD")
		})
	}
	for address, same := range map[string]bool{
		"https://give.example.org": true, "https://give.example.org/": true, "https://GIVE.example.org": true,
		"http://give.example.org": false, "https://give.example.org:8443": false, "https://give.example.org/sub": false, "https://example.org": false,
	} {
		t.Run(address, func(t *testing.T) {
			err := known.CheckAddress(base(t, address))
			assert.Equal(t, same, err == nil, "%v", err)
			if !same {
				require.ErrorIs(t, err, installation.ErrAddress)
				require.ErrorContains(t, err, "https://give.example.org since")
			}
		})
	}
}

// TestSettingsWithoutAKey: settings that have no key to compare change nothing that is recorded beside a key.
func TestSettingsWithoutAKey(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	known, staging := base(t, "https://give.example.org"), base(t, "https://staging.example.org")
	_, err := installation.Record(t.Context(), db.Owner, keyring.Ring{}, known)
	require.NoError(t, err)
	changed, err := installation.Record(t.Context(), db.Owner, keyring.Ring{}, staging)
	require.NoError(t, err, "no key is recorded yet")
	require.Contains(t, changed, "BASE_URL is now https://staging.example.org")
	_, err = installation.Record(t.Context(), db.Owner, keyring.New(first), known)
	require.NoError(t, err)

	_, err = installation.Record(t.Context(), db.Owner, keyring.Ring{}, staging)
	require.ErrorIs(t, err, installation.ErrNoKey)
	require.ErrorContains(t, err, "https://give.example.org")
	for _, same := range []*url.URL{known, nil} {
		_, err = installation.Record(t.Context(), db.Owner, keyring.Ring{}, same)
		require.NoError(t, err)
		require.NoError(t, installation.CheckOwner(t.Context(), db.Owner, keyring.Ring{}, same, false))
		require.ErrorIs(t, installation.CheckOwner(t.Context(), db.Owner, keyring.Ring{}, same, true), installation.ErrNoKey, "the clock stays")
	}
	require.NoError(t, installation.CheckOwner(t.Context(), db.Owner, keyring.New(first), staging, true))
	require.ErrorIs(t, installation.CheckOwner(t.Context(), db.Owner, keyring.New(second), known, false), installation.ErrKey)
	read, err := installation.Read(t.Context(), db.Owner)
	require.NoError(t, err)
	require.Equal(t, "https://give.example.org", read.Address)
}

// TestOnlyTheOwnerChangesWhatIsRecorded: the server's role cannot, and a value that stays keeps its time.
func TestOnlyTheOwnerChangesWhatIsRecorded(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	require.NoError(t, installation.SetKey(t.Context(), db.Owner, keyring.New(first)))
	before, err := installation.Read(t.Context(), db.Server)
	require.NoError(t, err)
	require.Error(t, installation.SetKey(t.Context(), db.Server, keyring.New(second)))
	require.Error(t, installation.SetAddress(t.Context(), db.Server, base(t, "https://give.example.org")))
	require.NoError(t, installation.SetKey(t.Context(), db.Owner, keyring.New(first)))
	same, err := installation.Read(t.Context(), db.Server)
	require.NoError(t, err)
	require.Equal(t, before, same)

	require.NoError(t, installation.SetKey(t.Context(), db.Owner, keyring.New(second, first)))
	after, err := installation.Read(t.Context(), db.Server)
	require.NoError(t, err)
	require.Equal(t, keyring.New(second).Fingerprints()[0].String(), after.Key)
	require.True(t, after.KeySince.After(before.KeySince))
	require.ErrorIs(t, installation.SetKey(t.Context(), db.Owner, keyring.Ring{}), installation.ErrKey)
}
