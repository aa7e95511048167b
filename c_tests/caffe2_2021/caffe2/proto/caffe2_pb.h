// caffe2_pb.h: the messages of 2021.
#pragma once

#define CAFFE2_PROTO_AGE 2021
#include "../../../caffe2_proto/messages.h"
