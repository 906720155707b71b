"""Repositories in the shapes of their files: where they stand, and how they are merged."""

from __future__ import annotations

from typing import Final

from shapes_running import BUILT, EXTERNAL, JOINED, NAMED, ONE_SHOTS, SCALED, SECRETS
from shaping import Shape

TOP: Final = Shape(
    "a compose file at the top",
    {
        "docker-compose.yml": """\
version: "3.8"
services:
  web:
    image: @IMAGE@
    command: sh -c "echo serving; exec httpd -f -p 80"
    restart: always
    stop_grace_period: 0s
    pull_policy: if_not_present
    ports:
      - "@PORT@:80"
    environment:
      - MODE=production
      - DATABASE_URL=db:5432
    labels:
      - "org.example.team=shop"
      - "org.example.rule=Host(`shop.example.com`)"
    depends_on:
      - db
    links:
      - "db:database"
    extra_hosts:
      - "elsewhere:192.0.2.7"
    healthcheck:
      test:
        - CMD-SHELL
        - wget -q -O /dev/null http://127.0.0.1/bin/sh && grep -q 192.0.2.7 /etc/hosts || exit 1
      interval: 200ms
      retries: 10
  db:
    image: @IMAGE@
    command: ["sh", "-c", "echo ready > /var/lib/data/ready; exec sleep 600"]
    restart: unless-stopped
    stop_grace_period: 0s
    expose:
      - "5432"
    volumes:
      - data:/var/lib/data
    healthcheck:
      test: ["CMD", "grep", "-q", "ready", "/var/lib/data/ready"]
      interval: 200ms
volumes:
  data:
""",
    },
    {"web": "healthy", "db": "healthy"},
    logged=("serving",),
)

MERGED: Final = Shape(
    "an override that Compose merges by itself",
    {
        "compose.yaml": """\
services:
  app: {@IDLE@, environment: {KEPT: base, CHANGED: base}, ports: ["@PORT@:80"],
        healthcheck: {test: exit 1, interval: 200ms, retries: 1000}}
""",
        "compose.override.yaml": """\
services:
  app:
    environment: {CHANGED: override}
    ports: !override ["127.0.0.1::80"]
    volumes: [./src:/src, /src/cache]
    healthcheck: {test: 'test "$$KEPT$$CHANGED" = baseoverride && grep -q text /src/file'}
  mail: {@WEB@}
""",
        "src/file": "text\n",
        "src/cache/.gitkeep": "",
    },
    {"app": "healthy", "mail": "healthy"},
    logged=("idling", "serving"),
)

MONOREPO: Final = Shape(
    "a monorepo that includes its parts",
    {
        "compose.yaml": """\
include:
  - parts/shop/compose.yaml
  - path: [parts/mail/compose.yaml, parts/mail/compose.test.yaml]
    project_directory: parts/mail
    env_file: parts/mail/test.env
services:
  gate:
    <<: {@WEB@}
    depends_on: {shop: {condition: service_healthy}, mail: {condition: service_healthy}}
""",
        "parts/shop/.env": "SHOP_NAME=corner\n",
        "parts/shop/settings.env": "OPEN=always\n",
        "parts/shop/page/index": "welcome\n",
        "parts/shop/compose.yaml": """\
services:
  shop:
    image: @IMAGE@
    command: sh -c "echo shop $$NAME; exec sleep 600"
    stop_grace_period: 0s
    environment: {NAME: "${SHOP_NAME}"}
    env_file: [settings.env]
    volumes: [./page:/page:ro, shelves:/shelves]
    healthcheck:
      test: test "$$NAME$$OPEN" = corneralways && grep -q welcome /page/index
      interval: 200ms
volumes: {shelves: {}}
""",
        "parts/mail/test.env": "MAIL_FROM=test@example.com\n",
        "parts/mail/letter": "dear\n",
        "parts/mail/compose.yaml": """\
services:
  mail: {@IDLE@, environment: {FROM: "${MAIL_FROM:?who writes}"}, volumes: [./letter:/letter]}
""",
        "parts/mail/compose.test.yaml": """\
services:
  mail:
    healthcheck:
      test: test "$$FROM" = test@example.com && grep dear /letter
      interval: 200ms
""",
    },
    {"gate": "healthy", "shop": "healthy", "mail": "healthy"},
    logged=("shop corner",),
)

EXTENDS: Final = Shape(
    "extends, anchors, merge keys and extensions",
    {
        "compose.yml": """\
x-probe: &probe
  interval: 200ms
  retries: 20
x-environment: &environment
  REGION: here
x-more: &more
  REGION: nowhere
  TIER: two
x-service: &service
  image: @IMAGE@
  stop_grace_period: 0s
  command: sh -c "echo $$ROLE; exec sleep 600"
  logging: {driver: json-file, options: {max-size: 1m}}
services:
  api:
    <<: *service
    environment:
      <<: [*environment, *more]
      ROLE: api
    healthcheck: {<<: *probe, test: 'test "$$REGION$$TIER$$ROLE" = heretwoapi'}
    x-owner: somebody
  worker:
    extends: api
    environment: {ROLE: worker}
    healthcheck: {test: 'test "$$ROLE" = worker'}
  batch:
    extends: {file: shared/base.yml, service: base}
    environment: {ROLE: batch}
    depends_on: [api]
""",
        "shared/base.yml": """\
services:
  base:
    extends: {service: root}
    env_file: base.env
    volumes: [./data:/data:ro]
  root:
    image: @IMAGE@
    stop_grace_period: 0s
    command: sh -c "echo $$ROLE; exec sleep 600"
    healthcheck: {test: 'test "$$ROLE$$BASE" = batchyes && grep one /data/one', interval: 200ms}
""",
        "shared/base.env": "BASE=yes\n",
        "shared/data/one": "one\n",
    },
    {"api": "healthy", "worker": "healthy", "batch": "healthy"},
    logged=("api", "worker", "batch"),
)

ENV_FILES: Final = Shape(
    "env files and interpolation",
    {
        ".env": "TAG=1\nNEEDED='spaced value'\nEMPTY=\nexport EXPORTED=\"a$$b\"  # why\n",
        "compose.yaml": """\
services:
  app:
    image: "${REPOSITORY:-hullwright-test/busybox}:${TAG:?}"
    command: sh -c "echo $$NEEDED; exec sleep 600"
    stop_grace_period: 0s
    env_file:
      - common.env
      - path: app.env
      - {path: ./local.env, required: false}
    environment:
      NEEDED: ${NEEDED:?write it into .env}
      DEFAULTED: ${UNSET:-${ALSO_UNSET:-deep}}
      FILLED: ${EMPTY:-filled}
      KEPT: "${EMPTY-not this}"
      SWITCHED: ${NEEDED:+on}
      PRICE: $$5
    healthcheck:
      interval: 200ms
      test: >-
        test "$$NEEDED/$$DEFAULTED/$$FILLED/$$KEPT/$$SWITCHED/$$PRICE/$$COMMON/$$OWN"
        = 'spaced value/deep/filled//on/$$5/changed/own'
  other:
    image: @IMAGE@
    command: ["sleep", "600"]
    stop_grace_period: 0s
    env_file: ./other/raw.env
    healthcheck: {test: 'test "$$COMMON$$OTHER" = "other text"', interval: 200ms}
""",
        "common.env": "# for all\nCOMMON=common\n",
        "app.env": 'COMMON="changed"\nOWN=own\n',
        "other/raw.env": "OTHER='other text'\n",
    },
    {"app": "healthy", "other": "healthy"},
    logged=("spaced value",),
)

PROFILES: Final = Shape(
    "profiles, one of them on by .env",
    {
        ".env": "COMPOSE_PROFILES=metrics\nCOMPOSE_PROJECT_NAME=@P@\n",
        "compose.yaml": """\
services:
  app: {@WEB@}
  meter: {@WEB@, profiles: [metrics, all], depends_on: [app], env_file: meter.env}
  debug: {@IDLE@, profiles: [debug], environment: {KEY: "${NOBODY_SETS_THIS}"}, env_file: no.env}
""",
        "meter.env": "METER=1\n",
    },
    {"app": "healthy", "meter": "healthy"},
    logged=("serving",),
    folder="@P@-folder",
)

AWKWARD: Final = Shape(
    "JSON, in a folder that is no repository and whose name is none for a project",
    {
        ".env": "COMPOSE_FILE=stack.json:more stack.yml\n",
        "stack.json": '{"services": {"web": {@WEB@, "volumes": ["./a b:/a b", "data:/data"]}}, '
        '"volumes": {"data": null}}\n',
        "more stack.yml": """\
services:
  web: {healthcheck: {test: 'grep -q there "/a b/c d"'}}
""",
        "a b/c d": "there\n",
    },
    {"web": "healthy"},
    logged=("serving",),
    folder="_My Shop (@P@) Ünï",
    git="none",
)

SUBFOLDER: Final = Shape(
    "a stack below the top, in a repository without a commit",
    {
        ".env": "COMPOSE_FILE=deploy/local/docker-compose.yml\nCOMPOSE_PROJECT_NAME=@P@\nTOP=top\n",
        "deploy/local/.env": "PLACE=inner\nTOP=not this\n",
        "deploy/local/docker-compose.yml": """\
services:
  web:
    image: @IMAGE@
    command: sleep 600
    stop_grace_period: 0s
    environment: ["SAID=${TOP}-${PLACE}"]
    env_file: .env
    volumes: [../../content:/content, ./state:/state]
    healthcheck:
      test: test "$$SAID" = top-inner && grep -q content /content/file && touch /state/x
      interval: 200ms
""",
        "content/file": "content\n",
        ".gitignore": "state/\n",
    },
    {"web": "healthy"},
    folder="@P@.example.com",
    git="empty",
)

SHAPES: Final = {
    "top": TOP,
    "merged": MERGED,
    "monorepo": MONOREPO,
    "extends": EXTENDS,
    "env-files": ENV_FILES,
    "profiles": PROFILES,
    "one-shots": ONE_SHOTS,
    "scaled": SCALED,
    "built": BUILT,
    "named": NAMED,
    "external": EXTERNAL,
    "joined": JOINED,
    "secrets": SECRETS,
    "awkward": AWKWARD,
    "subfolder": SUBFOLDER,
}
