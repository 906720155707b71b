# escape=`
# check=skip=all
FROM mcr.example.com/windows:ltsc AS tools
RUN dir C:\tools\
COPY a `
     b C:\
