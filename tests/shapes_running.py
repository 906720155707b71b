"""Repositories in the shapes that people give to what runs: one-shots, names, images, mounts."""

from __future__ import annotations

from typing import Final

from shaping import Shape

ONE_SHOTS: Final = Shape(
    "one-shots and a chain with mixed conditions",
    {
        "docker-compose.yaml": """\
services:
  db: {@WEB@}
  migrate:
    image: @IMAGE@
    command: sh -c "echo migrated"
    restart: "no"
    depends_on: {db: {condition: service_healthy}}
  seed:
    image: @IMAGE@
    command: sh -c "sleep 0.2; echo seeded"
    depends_on: {migrate: {condition: service_completed_successfully}}
  queue: {@WEB@, depends_on: {db: {condition: service_started, restart: true}}}
  api:
    image: @IMAGE@
    command: httpd -f -p 80
    stop_grace_period: 0s
    healthcheck: {test: wget -q -O /dev/null http://db/bin/sh, interval: 200ms}
    depends_on:
      seed: {condition: service_completed_successfully}
      queue: {condition: service_healthy}
      tracing: {condition: service_healthy, required: false}
  web: {@WEB@, depends_on: {api: {condition: service_healthy, restart: true}}}
  tracing: {@WEB@, profiles: [tracing]}
  note:
    image: @IMAGE@
    command: sh -c "echo noted"
    restart: on-failure
""",
    },
    {
        **dict.fromkeys(("db", "queue", "api", "web"), "healthy"),
        **dict.fromkeys(("migrate", "seed", "note"), "completed"),
    },
    logged=("migrated", "seeded", "noted"),
)

SCALED: Final = Shape(
    "three of each, limits, and no health check at all",
    {
        "compose.yaml": """\
services:
  worker:
    image: @IMAGE@
    command: ["sh", "-c", "echo working; exec sleep 600"]
    stop_grace_period: 0s
    deploy:
      replicas: 3
      restart_policy: {condition: on-failure, max_attempts: 3}
      update_config: {parallelism: 1}
      resources:
        limits: {cpus: "0.50", memory: 64M, pids: 50}
        reservations: {memory: 16M}
  web:
    image: @IMAGE@
    command: httpd -f -p 80
    stop_grace_period: 0s
    scale: 3
    ports: ["80"]
  off: {@IDLE@, scale: 0}
""",
    },
    {"worker": "unknown", "web": "unknown", "off": "completed"},
    scale={"worker": 3, "web": 3, "off": 0},
    logged=("working",),
    unprobed=True,
)

BUILT: Final = Shape(
    "images of its own, with targets, arguments and checks in the image",
    {
        "compose.yaml": """\
services:
  api:
    build:
      context: ./api
      target: production
      args: {GREETING: "${GREETING:-hello}"}
    stop_grace_period: 0s
  worker:
    image: @P@-worker
    build: {context: ., dockerfile: docker/worker.Dockerfile, args: [KIND=worker]}
    stop_grace_period: 0s
  beat:
    image: @P@-worker
    command: ["sh", "-c", "test $$KIND = worker && exec sleep 600"]
    stop_grace_period: 0s
    healthcheck: {disable: true}
    restart: "no"
    profiles: [beat]
  second:
    image: @P@-worker
    command: ["sh", "-c", "test $$KIND = worker"]
    restart: "no"
  inline:
    build:
      dockerfile_inline: |
        FROM @IMAGE@
        COPY api/page /page
        HEALTHCHECK --interval=1s --start-period=5s --start-interval=200ms CMD grep welcome /page
        CMD ["sleep", "600"]
    stop_grace_period: 0s
    pull_policy: build
""",
        "api/Dockerfile": """\
FROM @IMAGE@ AS base
ARG GREETING=none
ENV GREETING=${GREETING}
CMD ["sleep", "600"]

FROM base AS development
HEALTHCHECK CMD exit 1

FROM base AS production
COPY page /page
HEALTHCHECK --interval=1s --start-period=5s --start-interval=200ms \\
    CMD test "$GREETING" = hello && grep -q welcome /page
""",
        "api/page": "welcome @P@\n",
        "docker/worker.Dockerfile": """\
FROM @IMAGE@
ARG KIND
ENV KIND=${KIND}
COPY api/page /api-page
HEALTHCHECK --interval=1s --start-period=5s --start-interval=200ms CMD test "$KIND" = worker
CMD ["sleep", "600"]
""",
    },
    {"api": "healthy", "worker": "healthy", "second": "completed", "inline": "healthy"},
    builds=True,
)

NAMED: Final = Shape(
    "names of its own for containers, volumes, networks and ports",
    {
        "compose.yaml": """\
name: @P@
services:
  db:
    image: @IMAGE@
    command: sh -c "test ! -e /data/theirs || exit 9; touch /data/mine; exec httpd -f -p 5432"
    container_name: @P@-the-database
    hostname: database
    stop_grace_period: 0s
    ports:
      - {target: 5432, published: "@PORT@", host_ip: 127.0.0.1, protocol: tcp, mode: host}
    volumes: [data:/data, logs:/logs]
    networks: {back: {aliases: [store]}}
    healthcheck: {test: wget -q -O /dev/null http://database:5432/bin/sh, interval: 200ms}
  app:
    image: @IMAGE@
    command: httpd -f -p 80
    container_name: @P@-app
    stop_grace_period: 0s
    networks: [front, back]
    depends_on: {db: {condition: service_healthy}}
    healthcheck: {test: wget -q -O /dev/null http://store:5432/bin/sh, interval: 200ms}
volumes:
  data: {name: @P@-explicit}
  logs: {labels: {keep: "yes"}}
networks:
  front: {name: @P@-front, driver: bridge}
  back: {internal: true, driver_opts: {com.docker.network.driver.mtu: "1400"}}
""",
    },
    {"db": "healthy", "app": "healthy"},
)

EXTERNAL: Final = Shape(
    "networks and volumes that are somebody else's",
    {
        ".env": "PROXY_NETWORK=@P@-proxy\n",
        "compose.yaml": """\
services:
  app:
    image: @IMAGE@
    command: sh -c "touch /data/app; exec httpd -f -p 80"
    stop_grace_period: 0s
    networks: [default, proxy]
    volumes: [theirs:/data]
    healthcheck: {test: wget -q -O /dev/null http://127.0.0.1/bin/sh, interval: 200ms}
  side: {@WEB@, networks: [proxy]}
networks:
  proxy: {external: true, name: "${PROXY_NETWORK:-proxy}"}
volumes:
  theirs: {external: true, name: @P@-theirs}
""",
    },
    {"app": "healthy", "side": "healthy"},
    networks=("@P@-proxy",),
    volumes=("@P@-theirs",),
)

JOINED: Final = Shape(
    "shared namespaces, hardening, and mounts without a name",
    {
        "compose.yaml": """\
services:
  vpn: {@WEB@, ports: ["127.0.0.1:@PORT@:80"]}
  client:
    image: @IMAGE@
    command: sleep 600
    stop_grace_period: 0s
    network_mode: service:vpn
    depends_on: {vpn: {condition: service_healthy}}
    healthcheck: {test: wget -q -O /dev/null http://127.0.0.1/bin/sh, interval: 200ms}
  sidecar:
    image: @IMAGE@
    command: sleep 600
    stop_grace_period: 0s
    pid: service:vpn
    ipc: service:vpn
    volumes_from: ["hard:ro"]
    healthcheck: {test: pidof httpd && test -d /cache, interval: 200ms}
  hard:
    image: @IMAGE@
    command: sh -c "echo x > /tmp/x && exec sleep 600"
    stop_grace_period: 0s
    ipc: shareable
    read_only: true
    tmpfs: ["/tmp:mode=1777", "/run:size=1m"]
    user: "1000:1000"
    volumes: [/cache]
    cap_drop: [ALL]
    cap_add: [NET_BIND_SERVICE]
    security_opt: ["no-new-privileges:true"]
    ulimits: {nofile: {soft: 1024, hard: 2048}, nproc: 200}
    sysctls: {net.core.somaxconn: "256"}
    shm_size: 8mb
    mem_limit: 64m
    cpus: 0.5
    init: false
    healthcheck: {test: test "$$(id -u)" = 1000 && test ! -w /bin && grep x /tmp/x, interval: 200ms}
  offline: {@IDLE@, network_mode: none, volumes: [{type: tmpfs, target: /scratch}],
            healthcheck: {test: "! ls /sys/class/net/eth0", interval: 200ms}}
""".replace("  vpn: {@WEB@,", "  vpn: {@WEB@, ipc: shareable,"),
    },
    dict.fromkeys(("vpn", "client", "sidecar", "hard", "offline"), "healthy"),
)

SECRETS: Final = Shape(
    "configs and secrets from files and variables, and what a developer's loop needs",
    {
        ".env": "API_TOKEN=from-env\nBANNER=hello\n",
        "compose.yaml": """\
services:
  app:
    image: @IMAGE@
    command: sleep 600
    stop_grace_period: 0s
    secrets:
      - password
      - {source: token, target: /run/secrets/api_token, mode: 0440}
    configs:
      - {source: page, target: /etc/page}
      - {source: inline, target: /etc/inline, mode: 0444}
      - banner
    develop:
      watch: [{action: sync, path: ./src, target: /src}, {action: rebuild, path: compose.yaml}]
    healthcheck:
      interval: 200ms
      test: >-
        grep -q horse /run/secrets/password && grep -q from-env /run/secrets/api_token &&
        grep -q page /etc/page && grep -q "inline hello" /etc/inline && grep -q hello /banner
secrets:
  password: {file: ./secrets/password.txt}
  token: {environment: API_TOKEN}
configs:
  page: {file: ./page.conf}
  inline: {content: "inline ${BANNER}\\n"}
  banner: {environment: BANNER}
""",
        "secrets/password.txt": "correct horse\n",
        "page.conf": "page\n",
        "src/main": "",
    },
    {"app": "healthy"},
)
