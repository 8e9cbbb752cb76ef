using System.Runtime.InteropServices;
using System.Runtime.InteropServices.Marshalling;

namespace ActorTrainer.Checkpoints;

/// <summary>Hands a path to the system as the bytes that it means (<see cref="NativeNames"/>).</summary>
[CustomMarshaller(typeof(string), MarshalMode.ManagedToUnmanagedIn, typeof(NativePathMarshaller))]
internal static unsafe class NativePathMarshaller
{
    public static byte* ConvertToUnmanaged(string path)
    {
        byte[] bytes = NativeNames.ToBytes(path);
        byte* copy = (byte*)NativeMemory.Alloc((nuint)bytes.Length + 1);
        bytes.CopyTo(new Span<byte>(copy, bytes.Length));
        copy[bytes.Length] = 0;
        return copy;
    }

    public static void Free(byte* path) => NativeMemory.Free(path);
}
