# All programs in one image; manifests/ says which one a container runs. `make image` builds the same without
# Docker. No compiler at any stage: every package comes as a wheel, with the hash that the lock file has.
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY requirements-runtime.lock .
RUN python -m venv --without-pip /opt/bareway \
 && pip --no-cache-dir --python /opt/bareway/bin/python install \
    --no-compile --only-binary :all: --require-hashes -r requirements-runtime.lock
COPY bareway /opt/bareway/lib/python3.11/site-packages/bareway
COPY controller /opt/bareway/lib/python3.11/site-packages/controller
COPY speaker /opt/bareway/lib/python3.11/site-packages/speaker
COPY LICENSE /opt/bareway/
COPY pyproject.toml tests/cluster/image_contents.py ./
RUN python image_contents.py /opt/bareway pyproject.toml

FROM python:3.11-slim-bookworm
# The root of a container is read-only: without bytecode every start would compile anew.
RUN pip uninstall --quiet --yes --root-user-action=ignore setuptools wheel pip \
 && rm -rf /usr/local/lib/python3.11/ensurepip \
 && python -m compileall -q -o 2 --invalidation-mode unchecked-hash /usr/local/lib/python3.11 \
 && find /usr/local/lib/python3.11 -name '*.opt-2.pyc' -exec sh -c 'mv "$1" "${1%.opt-2.pyc}.pyc"' - {} \;
COPY --from=build /opt/bareway /opt/bareway
ENV PATH=/opt/bareway/bin:$PATH PYTHONUNBUFFERED=1 MALLOC_ARENA_MAX=1
# The speaker needs to be root for its one capability; its manifest says so.
USER 65534:65534
CMD ["bareway"]
