# SPDX-License-Identifier: GPL-2.0
# A program of the tests, $(NAME) in $(OUT), made of $(OBJS), say.c and libkcolo:
# static, so that it runs in any host the tests boot.
TOP	:= ../..
COMMON	:= ../common
LIB	:= $(TOP)/build/tools/libkcolo.a

CFLAGS	?= -O2 -g
CFLAGS	+= -std=gnu11 -Wall -Wextra -Werror -Wno-sign-compare -pthread
CPPFLAGS += -D_GNU_SOURCE -I$(COMMON) -I$(TOP)/include/uapi -I$(TOP)/tools/lib \
	-I$(TOP)/kernel $(shell pkg-config --cflags libnl-3.0 libnl-genl-3.0)
LDLIBS	:= $(LIB) $(shell pkg-config --libs --static libnl-genl-3.0 libnl-3.0)
# libnl has functions that look names up, which a static program cannot do; none
# of them is called.
LDFLAGS	+= -Wl,--no-warnings

OBJS	:= $(OBJS:%=$(OUT)/%.o) $(OUT)/say.o
HEADERS	:= $(wildcard *.h $(COMMON)/*.h) $(TOP)/tools/lib/kcolo.h \
	$(TOP)/kernel/wire.h $(TOP)/include/uapi/linux/kcolo.h

# Where a source is, if not here: the module's own encoder is one.
vpath %.c $(COMMON) $(TOP)/kernel

all: $(OUT)/$(NAME)

$(OUT)/$(NAME): $(OBJS) $(LIB)
	$(CC) $(CFLAGS) $(LDFLAGS) -static -o $@ $(OBJS) $(LDLIBS)

$(LIB):
	$(MAKE) -C $(TOP)/tools

$(OUT)/%.o: %.c $(HEADERS) Makefile $(COMMON)/program.mk | $(OUT)
	$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(OUT):
	mkdir -p $@

clean:
	rm -rf $(OUT)

.PHONY: all clean
