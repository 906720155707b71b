module chorus.example/presence-service

go 1.26.0

require (
	chorus.example/shared v0.0.0
	github.com/gomodule/redigo v1.9.3
)

// The workspace's own; a service is also built without go.work, as its image is.
replace chorus.example/shared => ../../shared
