//! stub
pub(super) unsafe fn pack(codes: &[u8], planes: &mut [u8], stride: usize, count: usize) {
    super::portable::pack(codes, planes, stride, count)
}
pub(super) unsafe fn unpack(planes: &[u8], stride: usize, count: usize, codes: &mut [u8]) {
    super::portable::unpack(planes, stride, count, codes)
}
