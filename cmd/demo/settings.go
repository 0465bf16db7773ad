package main

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/joho/godotenv"
)

// entities are the legal entities of demo.yaml; each has an account of its own at the stand-in.
var entities = []string{"tsne", "grassroots-international"}

// wideLimits do not limit a person or a script that tries the demo. After 1000 declined cards in ten minutes the
// guard still asks for its challenge.
const wideLimits = "address=100000/10m network=100000/10m email=100000/1h page=100000/10m failures=1000/10m " +
	"page_failures=1000/10m no_js_waits=1000/10m min_fill_time=off"

// settings are the environment variables of the server.
type settings map[string]string

// setSecret sets the secret of that name: the one of an earlier run, or a new one of 32 bytes in hexadecimal. Reusing
// it keeps signed links and undelivered webhooks valid after a restart.
func (s settings) setSecret(earlier map[string]string, name, prefix string) {
	if s[name] = earlier[name]; s[name] != "" {
		return
	}
	var b [32]byte
	_, _ = rand.Read(b[:]) // documented never to fail
	s[name] = prefix + hex.EncodeToString(b[:])
}

// readEarlier returns the settings of an earlier run, or nil if the file is missing or cannot be parsed.
func readEarlier(dir string) map[string]string {
	earlier, err := godotenv.Read(envPath(dir))
	if err != nil {
		return nil
	}
	return earlier
}

func envPath(dir string) string { return filepath.Join(dir, "env") }

// write writes DEMO_DIR/env, which a shell reads with `set -a; . env`. The file contains keys, so only its owner may
// read it.
func (s settings) write(dir string) error {
	var b strings.Builder
	fmt.Fprintln(&b, "# The settings of the running demo, written at each start.")
	for _, name := range slices.Sorted(maps.Keys(s)) {
		if strings.ContainsAny(s[name], "'\n") {
			return fmt.Errorf("%s: no value may contain a quote or a line break, because shells and .env readers read these differently", name)
		}
		fmt.Fprintf(&b, "%s='%s'\n", name, s[name])
	}
	part := envPath(dir) + ".part"
	if err := os.WriteFile(part, []byte(b.String()), 0o600); err != nil {
		return err
	}
	return os.Rename(part, envPath(dir))
}

// environ returns the whole environment of a konbit process. Other settings of this machine are not passed on.
func (s settings) environ() []string {
	var env []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	for name, v := range s {
		env = append(env, name+"="+v)
	}
	return env
}

var outsideName = regexp.MustCompile(`[^A-Z0-9]`)

// perEntity returns the name of an entity's setting, such as STRIPE_SECRET_KEY_GRASSROOTS_INTERNATIONAL.
func perEntity(name, entity string) string {
	return name + "_" + outsideName.ReplaceAllString(strings.ToUpper(entity), "_")
}
