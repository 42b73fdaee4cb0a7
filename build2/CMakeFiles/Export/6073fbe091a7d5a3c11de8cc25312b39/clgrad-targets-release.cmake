#----------------------------------------------------------------
# Generated CMake target import file for configuration "Release".
#----------------------------------------------------------------

# Commands may need to know the format version.
set(CMAKE_IMPORT_FILE_VERSION 1)

# Import target "clgrad::clgrad" for configuration "Release"
set_property(TARGET clgrad::clgrad APPEND PROPERTY IMPORTED_CONFIGURATIONS RELEASE)
set_target_properties(clgrad::clgrad PROPERTIES
  IMPORTED_LINK_DEPENDENT_LIBRARIES_RELEASE "clblast"
  IMPORTED_LOCATION_RELEASE "${_IMPORT_PREFIX}/lib/libclgrad.so.0.1.0"
  IMPORTED_SONAME_RELEASE "libclgrad.so.0"
  )

list(APPEND _cmake_import_check_targets clgrad::clgrad )
list(APPEND _cmake_import_check_files_for_clgrad::clgrad "${_IMPORT_PREFIX}/lib/libclgrad.so.0.1.0" )

# Commands beyond this point should not need to know the version.
set(CMAKE_IMPORT_FILE_VERSION)
