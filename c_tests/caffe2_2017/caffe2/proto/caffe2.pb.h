// caffe2.pb.h: the messages of 2017.
#ifndef CAFFE2_2017_CAFFE2_PB_H
#define CAFFE2_2017_CAFFE2_PB_H

#define CAFFE2_PROTO_AGE 2017
#include "../../../caffe2_proto/messages.h"

#endif
