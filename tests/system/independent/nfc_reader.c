/* libnfc's place taken by a virtual reader: programs written for libnfc talk to a chip on vpcd's wire.
 *
 * Preloaded into such a program. The reader listens on the loopback port VPCD_PORT, as vpcd does, until the card
 * connects; then each message is a length of two bytes and that many bytes. Only what a program needs to talk to
 * one ISO 14443-4 target is here, with the public signatures of libnfc 1.7 and 1.8. */

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LONGEST 65535

typedef struct {
    int type, rate;
} modulation;

static int card = -1;
static const uint8_t POWER_ON[] = {1};

static int receive(uint8_t *into, size_t size)
{
    while (size > 0) {
        ssize_t got = recv(card, into, size, 0);
        if (got <= 0)
            return -1;
        into += got;
        size -= (size_t)got;
    }
    return 0;
}

static int send_message(const uint8_t *body, size_t size)
{
    uint8_t message[2 + LONGEST];
    if (size > LONGEST)
        return -1;
    message[0] = (uint8_t)(size >> 8);
    message[1] = (uint8_t)size;
    memcpy(message + 2, body, size);
    return send(card, message, size + 2, MSG_NOSIGNAL) == (ssize_t)(size + 2) ? 0 : -1;
}

void nfc_init(void **context)
{
    *context = &card;
}

void nfc_exit(void *context)
{
    (void)context;
}

size_t nfc_list_devices(void *context, char (*names)[1024], size_t room)
{
    (void)context;
    if (room == 0)
        return 0;
    strcpy(names[0], "virtual");
    return 1;
}

void *nfc_open(void *context, const char *name)
{
    const char *port = getenv("VPCD_PORT");
    struct sockaddr_in here = {.sin_family = AF_INET};
    int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    (void)context, (void)name;
    if (port == NULL || listener < 0)
        return NULL;
    here.sin_port = htons((uint16_t)atoi(port));
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) == 0 && listen(listener, 1) == 0)
        card = accept(listener, NULL, NULL);
    close(listener);
    if (card < 0)
        return NULL;
    setsockopt(card, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return &card;
}

void nfc_close(void *device)
{
    (void)device;
    close(card);
}

const char *nfc_device_get_name(void *device)
{
    (void)device;
    return "virtual";
}

int nfc_device_set_property_bool(void *device, int property, int value)
{
    (void)device, (void)property, (void)value;
    return 0;
}

int nfc_initiator_init(void *device)
{
    (void)device;
    return 0;
}

int nfc_initiator_select_passive_target(void *device, modulation how, const uint8_t *data, size_t size,
                                        void *target)
{
    (void)device, (void)how, (void)data, (void)size, (void)target;
    return send_message(POWER_ON, sizeof POWER_ON) == 0 ? 1 : -1;
}

int nfc_initiator_transceive_bytes(void *device, const uint8_t *command, size_t size, uint8_t *response,
                                   size_t room, int timeout)
{
    uint8_t head[2], whole[LONGEST];
    size_t length;
    (void)device, (void)timeout;
    if (send_message(command, size) != 0 || receive(head, sizeof head) != 0)
        return -1;
    length = (size_t)head[0] << 8 | head[1];
    if (receive(whole, length) != 0 || length > room)
        return -1;
    memcpy(response, whole, length);
    return (int)length;
}

void nfc_perror(const void *device, const char *text)
{
    (void)device;
    fprintf(stderr, "%s: the virtual reader failed\n", text);
}
