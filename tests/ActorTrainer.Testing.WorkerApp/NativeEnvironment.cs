using System.Runtime.InteropServices;

namespace ActorTrainer.Testing.WorkerApp;

/// <summary>The environment as native libraries of this process see it.</summary>
internal static class NativeEnvironment
{
    public static string? Get(string name) => Marshal.PtrToStringUTF8(GetEnvironment(name));

    [DllImport("libc", EntryPoint = "getenv")]
    private static extern nint GetEnvironment([MarshalAs(UnmanagedType.LPUTF8Str)] string name);
}
