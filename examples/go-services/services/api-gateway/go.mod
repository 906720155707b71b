module chorus.example/api-gateway

go 1.26.0

require chorus.example/shared v0.0.0

// The workspace's own; a service is also built without go.work, as its image is.
replace chorus.example/shared => ../../shared
