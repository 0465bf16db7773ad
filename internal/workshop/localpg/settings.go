package localpg

import (
	"fmt"
	"maps"
	"slices"
)

// settings are the server's command line. They are given at every start and nothing is written to postgresql.conf, so a cluster
// made by an older version of this package runs under today's rules.
func settings(o Options) []string {
	set := map[string]string{
		"listen_addresses":        "", // no TCP
		"unix_socket_directories": o.SocketDir,
		"port":                    port,
		"max_connections":         "200",
		"timezone":                "UTC",
		"log_timezone":            "UTC",
		"jit":                     "off", // costs more than it gains on short statements
		// Names, addresses and tokens travel as parameters and return in error details: neither belongs in a log.
		"log_parameter_max_length_on_error": "0",
		"log_error_verbosity":               "terse",
	}
	if !o.Durable {
		maps.Copy(set, map[string]string{
			"fsync":              "off",
			"synchronous_commit": "off",
			"full_page_writes":   "off",
		})
	}
	if o.Follow != nil {
		set["primary_conninfo"] = o.Follow.conninfo()
	}
	if o.Archive != "" {
		set["archive_mode"] = "on"
		set["archive_command"] = fmt.Sprintf("cp %%p '%s/%%f.part' && mv '%[1]s/%%f.part' '%[1]s/%%f'", o.Archive)
		set["restore_command"] = fmt.Sprintf("cp '%s/%%f' %%p", o.Archive)
	}
	if o.Recover {
		set["hot_standby"] = "off" // it takes connections when it takes writes
	}
	maps.Copy(set, o.Settings)
	var args []string
	for _, name := range slices.Sorted(maps.Keys(set)) {
		args = append(args, "-c", name+"="+set[name])
	}
	return args
}
