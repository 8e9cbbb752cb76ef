using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace ActorTrainer.Training.Discovery;

/// <summary>An assembly's tables of types, read from its file; nothing is loaded or run.</summary>
internal sealed class TrainerMetadata : IDisposable
{
    private const int MaxBaseTypes = 64;

    private readonly PEReader _file;
    private readonly string _directory;

    private TrainerMetadata(PEReader file, string directory)
    {
        _file = file;
        _directory = directory;
        Reader = file.GetMetadataReader();
    }

    public MetadataReader Reader { get; }

    /// <exception cref="BadImageFormatException">It is no assembly.</exception>
    /// <exception cref="InvalidOperationException">It is a program, but has no .NET metadata.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static TrainerMetadata Open(string path)
    {
        PEReader file = new(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
        try
        {
            return new TrainerMetadata(file, Path.GetDirectoryName(path) ?? ".");
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public void Dispose() => _file.Dispose();

    public TypeDefinitionHandle? Find(string fullName)
    {
        foreach (TypeDefinitionHandle handle in Reader.TypeDefinitions)
        {
            if (NameOf(handle) == fullName)
            {
                return handle;
            }
        }

        return null;
    }

    /// <summary>Names of all types that could be given as a trainer.</summary>
    public IReadOnlyList<string> Trainers()
    {
        List<string> names = [];
        foreach (TypeDefinitionHandle handle in Reader.TypeDefinitions)
        {
            TypeDefinition type = Reader.GetTypeDefinition(handle);
            if (
                (type.Attributes & (TypeAttributes.Interface | TypeAttributes.Abstract)) == 0
                && IsPublic(handle)
                && Implements(handle, typeof(ITrainer).FullName!)
            )
            {
                names.Add(NameOf(handle));
            }
        }

        return names;
    }

    public bool IsPublic(TypeDefinitionHandle handle)
    {
        TypeDefinition type = Reader.GetTypeDefinition(handle);
        return (type.Attributes & TypeAttributes.VisibilityMask) switch
        {
            TypeAttributes.Public => true,
            TypeAttributes.NestedPublic => IsPublic(type.GetDeclaringType()),
            _ => false,
        };
    }

    public bool HasParameterlessConstructor(TypeDefinition type)
    {
        foreach (MethodDefinitionHandle handle in type.GetMethods())
        {
            MethodDefinition method = Reader.GetMethodDefinition(handle);
            if (
                (method.Attributes & MethodAttributes.MemberAccessMask) == MethodAttributes.Public
                && (method.Attributes & MethodAttributes.Static) == 0
                && Reader.StringComparer.Equals(method.Name, ".ctor")
                && ParameterCount(method) == 0
            )
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Whether a type or one of its base types implements an interface. A base type in an assembly that is not found counts as one that
    /// does: the worker will say exactly what is missing.
    /// </summary>
    public bool Implements(TypeDefinitionHandle handle, string interfaceName, int depth = 0)
    {
        TypeDefinition type = Reader.GetTypeDefinition(handle);
        foreach (InterfaceImplementationHandle implementation in type.GetInterfaceImplementations())
        {
            if (NameOf(Reader.GetInterfaceImplementation(implementation).Interface) == interfaceName)
            {
                return true;
            }
        }

        EntityHandle parent = Generic(type.BaseType);
        return !parent.IsNil
            && depth < MaxBaseTypes
            && parent.Kind switch
            {
                HandleKind.TypeDefinition => Implements((TypeDefinitionHandle)parent, interfaceName, depth + 1),
                HandleKind.TypeReference => ImplementsElsewhere((TypeReferenceHandle)parent, interfaceName, depth + 1),
                _ => false,
            };
    }

    private bool ImplementsElsewhere(TypeReferenceHandle handle, string interfaceName, int depth)
    {
        TypeReference reference = Reader.GetTypeReference(handle);
        if (reference.ResolutionScope.Kind != HandleKind.AssemblyReference)
        {
            return false;
        }

        string assembly = Reader.GetString(Reader.GetAssemblyReference((AssemblyReferenceHandle)reference.ResolutionScope).Name);
        if (TrainerLocator.IsFramework(assembly))
        {
            return false;
        }

        string path = Path.Combine(_directory, assembly + ".dll");
        if (!File.Exists(path))
        {
            return true;
        }

        using TrainerMetadata other = Open(path);
        return other.Find(NameOf(handle)) is not { } found || other.Implements(found, interfaceName, depth);
    }

    // A base type such as TrainerBase<float> is a signature; its first type after the marks is the generic type itself.
    private EntityHandle Generic(EntityHandle handle)
    {
        if (handle.Kind != HandleKind.TypeSpecification)
        {
            return handle;
        }

        BlobReader signature = Reader.GetBlobReader(Reader.GetTypeSpecification((TypeSpecificationHandle)handle).Signature);
        return signature.ReadSignatureTypeCode() == SignatureTypeCode.GenericTypeInstance && signature.ReadCompressedInteger() >= 0
            ? signature.ReadTypeHandle()
            : default;
    }

    private string NameOf(EntityHandle handle) =>
        handle.Kind switch
        {
            HandleKind.TypeDefinition => NameOf((TypeDefinitionHandle)handle),
            HandleKind.TypeReference => NameOf((TypeReferenceHandle)handle),
            _ => "",
        };

    private string NameOf(TypeDefinitionHandle handle)
    {
        TypeDefinition type = Reader.GetTypeDefinition(handle);
        string name = Reader.GetString(type.Name);
        return type.IsNested ? $"{NameOf(type.GetDeclaringType())}+{name}" : Join(Reader.GetString(type.Namespace), name);
    }

    private string NameOf(TypeReferenceHandle handle)
    {
        TypeReference type = Reader.GetTypeReference(handle);
        return Join(Reader.GetString(type.Namespace), Reader.GetString(type.Name));
    }

    private int ParameterCount(MethodDefinition method)
    {
        BlobReader signature = Reader.GetBlobReader(method.Signature);
        signature.ReadSignatureHeader();
        return signature.ReadCompressedInteger();
    }

    private static string Join(string space, string name) => space.Length == 0 ? name : $"{space}.{name}";
}
